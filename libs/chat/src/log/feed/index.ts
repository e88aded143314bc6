export { type Batch, type Consumer, consume, type ConsumeOptions, type Consumption, type FeedEntry } from './consume.ts'
export { type FeedFigures, figures } from './figures.ts'
