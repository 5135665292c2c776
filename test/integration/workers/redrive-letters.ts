/** Takes all dead letters of a group back, two at a time, until it is killed: `redrive-letters.ts <url> <stream> <group>`. */
import { Redis } from "ioredis";
import { bufferCount, concatMap, timer } from "rxjs";
import { fromDeadLetters, redrive } from "rxjs-redis-streams";

const [url = "", stream = "", group = ""] = process.argv.slice(2);
const redis = new Redis(url);
fromDeadLetters(redis, { stream, group, live: true, everyMs: 10 })
  .pipe(
    bufferCount(2),
    concatMap((letters) => timer(1).pipe(concatMap(() => letters))),
    redrive(redis, { stream, group }),
  )
  .subscribe(({ letter }) => process.send?.({ id: letter.origin.id }));
