/**
 * The chance that a random positive row scores above a random negative one, ties counted half: the Mann-Whitney U
 * statistic (Hanley and McNeil 1982). Undefined where a class has no rows.
 */
export function rocAuc(scores: Float32Array, labels: Float32Array): number | undefined {
  const order = Uint32Array.from(scores, (_, row) => row).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0));
  let [positives, rankSum] = [0, 0];
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && scores[order[end] ?? 0] === scores[order[start] ?? 0]) end += 1;
    const rank = (start + 1 + end) / 2; // ranks count from 1; equals share their mean
    for (let position = start; position < end; position += 1) {
      if ((labels[order[position] ?? 0] ?? 0) < 0.5) continue;
      positives += 1;
      rankSum += rank;
    }
    start = end;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return undefined;
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
