/** The review: in the applicant, as a status, by step, in its history, and explained. */
import { hash } from "../random.ts";
import { course, LEVEL, MINUTE, personOf, type Wire, zoned } from "./course.ts";
import { imageId, sumsubId } from "./id.ts";
import type { Shelf } from "./shelf.ts";
import type { World } from "./world.ts";

/** Sumsub keeps more reviews than it shows. */
const SHOWN = 10;

export function makeReview(world: World, index: number): Wire {
  const { created, status, captured, started, reviewed, attempts } = course(world, index);
  const result = makeResult(world, index);
  return {
    reviewId: hash(world.seed, 420, index).toString(36),
    attemptId: sumsubId(world.seed, "attempt", index, attempts),
    attemptCnt: attempts,
    levelName: LEVEL,
    createDate: zoned(created),
    ...(captured ? { startDate: zoned(started) } : {}),
    ...(reviewed === undefined ? {} : { reviewDate: zoned(reviewed) }),
    // These count on with the clock.
    ...(captured
      ? { elapsedSincePendingMs: world.now() - started, elapsedSinceQueuedMs: world.now() - started - 500 }
      : {}),
    reprocessing: false,
    ...(result ? { reviewResult: result } : {}),
    reviewStatus: status,
    priority: 0,
  };
}

function makeResult(world: World, index: number): Wire | undefined {
  const { answer, rejectType } = course(world, index);
  if (answer === undefined) return undefined;
  if (rejectType === undefined) return { reviewAnswer: answer };
  return {
    reviewAnswer: answer,
    reviewRejectType: rejectType,
    rejectLabels: [rejectType === "FINAL" ? "FORGERY" : "LOW_QUALITY"],
    moderationComment: "Please send a clear picture.",
  };
}

/** Steps with their documents. For a final rejection they say less than the applicant. */
export function makeSteps(world: World, shelf: Shelf, index: number): Wire {
  const { rejectType, isCompany } = course(world, index);
  const images = shelf.images(index).filter((at) => shelf.isActive(index, at));
  const step = (of: readonly number[]): Wire | null => {
    const [first] = of;
    if (first === undefined) return null;
    const result = rejectType === "FINAL" ? {} : { reviewResult: makeResult(world, index) ?? {} };
    return {
      ...result,
      country: personOf(world, index).state.code,
      idDocType: shelf.shown(index, first).idDocType,
      imageIds: of.map((at) => Number(imageId(world.seed, index, at))),
      imageReviewResults: Object.fromEntries(
        of.map((at) => [imageId(world.seed, index, at), { reviewAnswer: "GREEN" }]),
      ),
      ...{ forbidden: false, doubleSided: of.length > 1, stepStatuses: null },
    };
  };
  const isOf = (...slots: string[]) => images.filter((at) => slots.includes(shelf.shown(index, at).slot));
  return {
    ...(isCompany ? { COMPANY: step(isOf("company")) } : { IDENTITY: step(isOf("document")) }),
    SELFIE: step(isOf("liveness", "selfie")),
  };
}

export function makeHistory(world: World, index: number): Wire {
  const { attempts, started } = course(world, index);
  const all = Array.from({ length: attempts }, (_, at) => ({
    attemptId: sumsubId(world.seed, "attempt", index, at + 1),
    levelName: LEVEL,
    reviewDate: zoned(started + at * MINUTE),
    reviewResult: makeResult(world, index) ?? {},
    reviewStatus: at === attempts - 1 ? course(world, index).status : "completed",
  }));
  return { items: all.slice(-SHOWN), totalItems: attempts };
}

export function makeModeration(world: World, index: number): Wire {
  const { rejectType } = course(world, index);
  const items =
    rejectType === undefined
      ? []
      : [
          {
            ...{ id: sumsubId(world.seed, "case", index, 1), applicantId: sumsubId(world.seed, "applicant", index) },
            ...{ key: "SANDBOXKEY", imagesStates: {}, applicantState: { badDocument: { value: true } } },
          },
        ];
  return { list: { items, totalItems: items.length } };
}
