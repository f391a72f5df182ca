export function requirementTable(markdown: string): Map<string, string>;
export function requirementIds(text: string): string[];
