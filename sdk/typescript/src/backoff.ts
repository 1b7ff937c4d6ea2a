const firstPause = 500;
const longestPause = 8_000;

/** A server that asks for a longer wait than this, in milliseconds, is not waited for. */
const mostPatience = 60_000;

/**
 * How many milliseconds to wait before trying again after the attempt of that number, from 0;
 * undefined where it is not worth waiting. Callers that failed together spread over half of it.
 */
export function pause(attempt: number, retryAfter: number | undefined, random = Math.random()): number | undefined {
  const asked = (retryAfter ?? 0) * 1000;
  if (asked > mostPatience) {
    return undefined;
  }
  const grown = Math.min(firstPause * 2 ** attempt, longestPause);
  return Math.max(asked, grown * (0.5 + random / 2));
}
