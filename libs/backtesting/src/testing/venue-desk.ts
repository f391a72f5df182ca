import { orderDesk } from '../../../kernel/src/testing/venue-desk';
import { signPaperOrder } from '../signing/paper-signature';

export * from '../../../kernel/src/testing/venue-desk';

/** Signing key of the tests' accounts. */
export const TEST_KEY = 'key-of-the-tests';

/** An order desk whose signatures a paper account with `TEST_KEY` accepts. */
export const paperDesk = () => orderDesk((payload) => signPaperOrder(payload, TEST_KEY));
