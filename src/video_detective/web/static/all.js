// Every item of a list that comes in pages.
import { get } from "./api.js";

const PAGE = 100;

export async function all(path, parameters = {}) {
  const found = [];
  let cursor = null;
  do {
    const { data, meta } = await get(path, { ...parameters, limit: PAGE, cursor });
    found.push(...data);
    cursor = meta.pagination.nextCursor;
  } while (cursor);
  return found;
}
