import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { TypeCheck } from '@sinclair/typebox/compiler';
import type { TSchema } from '@sinclair/typebox';
import { VenueRefused } from '@moon/kernel';
import type { CancelPayload, OrderPayload, SignedCancel, SignedOrder } from '@moon/kernel';
import { isPaperSignature } from '../signing/paper-signature';

const name = Type.String({ minLength: 1, maxLength: 200 });
const amount = Type.String({ pattern: '^\\d{1,24}(\\.\\d{1,18})?$', maxLength: 43 });
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const oneOf = (...words: string[]) => Type.Union(words.map((word) => Type.Literal(word)));
const closed = { additionalProperties: false };

const orderPayload = TypeCompiler.Compile(
  Type.Object(
    {
      account: name,
      instrument: name,
      side: Type.Union([Type.Literal('buy'), Type.Literal('sell')]),
      quantity: amount,
      orderType: oneOf('MARKET', 'LIMIT', 'STOP', 'TAKE_PROFIT'),
      limitPrice: Type.Optional(amount),
      stopPrice: Type.Optional(amount),
      timeInForce: oneOf('GTC', 'IOC', 'ALO'),
      reduceOnly: Type.Boolean(),
      clientOrderId: name,
      nonce: whole,
      expiresAt: whole,
      sentAt: whole,
    },
    closed,
  ),
);

const cancelPayload = TypeCompiler.Compile(
  Type.Object(
    {
      account: name,
      action: Type.Literal('cancel'),
      clientOrderId: name,
      nonce: whole,
      expiresAt: whole,
      sentAt: whole,
    },
    closed,
  ),
);

/** Reads what was signed. @throws VenueRefused `bad_signature` or `malformed` */
export function readOrder(order: SignedOrder, signingKey: string | null): OrderPayload {
  return read(order, signingKey, orderPayload) as OrderPayload;
}

/** Reads what was signed. @throws VenueRefused `bad_signature` or `malformed` */
export function readCancel(request: SignedCancel, signingKey: string | null): CancelPayload {
  return read(request, signingKey, cancelPayload) as CancelPayload;
}

/** What the request says beside the payload, and under which name the payload says it. */
const REPEATED = [
  ['portfolio', 'account'],
  ['clientOrderId', 'clientOrderId'],
  ['nonce', 'nonce'],
  ['expiresAt', 'expiresAt'],
] as const;

/** The signature first: nothing is said about the inside of what nobody signed. */
function read(signed: SignedOrder | SignedCancel, signingKey: string | null, schema: TypeCheck<TSchema>): unknown {
  if (signingKey !== null && !isPaperSignature(signed.payload, signingKey, signed.signature)) {
    throw new VenueRefused(
      'bad_signature',
      `The signature of ${signed.clientOrderId} is not the one of account ${signed.portfolio} over this payload.`,
    );
  }
  let payload: unknown;
  try {
    payload = JSON.parse(signed.payload);
  } catch (error) {
    throw malformed(signed, `is no JSON (${(error as Error).message})`);
  }
  const problem = schema.Check(payload) ? undefined : schema.Errors(payload).First();
  if (problem) throw malformed(signed, `does not fit at ${problem.path || '/'}: ${problem.message}`);
  const inside = payload as Record<string, unknown>;
  for (const [outer, inner] of REPEATED) {
    if (signed[outer] !== inside[inner]) {
      throw malformed(signed, `says ${inner} ${String(inside[inner])}, the request around it ${String(signed[outer])}`);
    }
  }
  return payload;
}

function malformed(signed: { clientOrderId: string }, what: string): VenueRefused {
  return new VenueRefused('malformed', `The payload of ${signed.clientOrderId} ${what}.`);
}
