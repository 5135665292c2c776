import * as six from "ioredis";
import * as five from "ioredis5";

/** The ioredis that a run tests: 6, or what `IOREDIS` says. Both majors are tested by `npm run test:matrix`. */
const major = process.env["IOREDIS"] ?? "6";
if (major !== "5" && major !== "6") throw new RangeError(`Expected IOREDIS to be 5 or 6, got \`${major}\``);

// the majors' classes are not assignable to each other; the tests use what both have
const chosen = major === "5" ? (five as unknown as typeof six) : six;

export const Redis = chosen.Redis;
export type Redis = six.Redis;
export const Cluster = chosen.Cluster;
export type Cluster = six.Cluster;
