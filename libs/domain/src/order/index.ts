export { isRefused, type Decision, type Emission, type Problem } from './decision';
export {
  approveOrder,
  expireOrder,
  markOutcomeUnknown,
  rejectOrder,
  requestCancel,
  requestOrder,
  submitOrder,
  type OrderRequest,
  type Submission,
} from './decide';
export { evolveOrder } from './evolve';
export { copyOf as copyOfOrder, orderHashView, remainingQuantity, type OrderState } from './state';
export { IllegalOrderTransition, isTerminal, TRANSITIONS, type OrderInput, type OrderStatus } from './transitions';
export { applyVenueReport } from './venue-report';
