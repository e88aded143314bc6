/** What a report is, for whoever makes one and for the operators who decide it. */

export const reportReasons = ['spam', 'harassment', 'violence', 'sexual', 'illegal', 'impersonation', 'other'] as const
export type ReportReason = (typeof reportReasons)[number]

export const reportDecisions = ['dismissed', 'upheld'] as const
export type ReportDecision = (typeof reportDecisions)[number]

/** What the copy of a reported message is sealed for. */
export const sealName = (report: string) => `report ${report}`
