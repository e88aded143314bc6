/** What a report is, for whoever makes one and for the operators who decide it. */

/** What the copy of a reported message is sealed for. */
export const sealName = (report: string) => `report ${report}`
