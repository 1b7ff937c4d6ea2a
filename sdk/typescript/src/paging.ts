/** What the pages of every list tell of what follows. */
interface Page {
  hasMore: boolean;
  nextCursor?: string | undefined;
}

/** Asks for page after page, beginning at a cursor, until no more follow. */
export async function* pages<P extends Page>(
  list: (cursor: string | undefined) => Promise<P>,
  cursor: string | undefined,
): AsyncGenerator<P, void, undefined> {
  for (;;) {
    const page = await list(cursor);
    yield page;
    if (!page.hasMore) {
      return;
    }
    cursor = page.nextCursor;
  }
}
