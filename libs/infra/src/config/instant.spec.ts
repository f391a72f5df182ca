import { utcInstant } from './instant';

describe('utcInstant', () => {
  const noon = Date.UTC(2021, 4, 19, 12);

  it.each(['2021-05-19T12:00:00Z', '2021-05-19T12:00:00.000', '2021-05-19 12:00', String(noon)])(
    'reads %s as UTC, in any time zone of the machine',
    (text) => expect(utcInstant(text)).toBe(noon),
  );

  it('a day is its beginning', () => expect(utcInstant('2021-05-19')).toBe(Date.UTC(2021, 4, 19)));

  it.each(['', '2021', '1621382400', 'May 19 2021', '2021-13-01', '2021-05-19T12:00:00+02:00', 'now'])(
    'takes no %j',
    (text) => expect(utcInstant(text)).toBeNull(),
  );
});
