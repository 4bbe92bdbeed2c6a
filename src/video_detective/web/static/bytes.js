// A number of bytes as people read it.
export function bytes(count) {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(count, 1)) / 10)));
  return `${(count / 2 ** (10 * power)).toFixed(power ? 1 : 0)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}
