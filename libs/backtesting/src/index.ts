export { signPaperOrder } from './signing/paper-signature';
export * from './venue';
