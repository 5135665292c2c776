import { Subject, type Observer } from "rxjs";

/** Tells an observer; if it throws, that is reported as RxJS reports it, and the pipeline goes on. @internal */
export function reporter<S>(observer: Pick<Observer<S>, "next"> | undefined): (status: S) => void {
  const statuses = new Subject<S>();
  // eslint-disable-next-line rxjs-x/no-ignored-error -- it never errors
  statuses.subscribe({ next: (status) => observer?.next(status) });
  return (status) => statuses.next(status);
}
