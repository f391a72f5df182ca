import { parser } from '@prometheus-io/lezer-promql';

/** Names of the metrics that a PromQL expression reads. @throws Error it is no PromQL */
export function metricsIn(expression: string): string[] {
  const names = new Set<string>();
  parser.parse(expression).iterate({
    enter: (node) => {
      const text = expression.slice(node.from, node.to);
      if (node.type.isError) throw new Error(`no PromQL at "${expression.slice(node.from)}": ${expression}`);
      if (node.name === 'Identifier') names.add(text);
    },
  });
  return [...names];
}

/** Labels that an expression matches, groups or joins by. */
export function labelsIn(expression: string): string[] {
  const names = new Set<string>();
  parser.parse(expression).iterate({
    enter: (node) => {
      if (node.name === 'LabelName') names.add(expression.slice(node.from, node.to));
    },
  });
  return [...names];
}
