// SPDX-License-Identifier: MIT
import CPlatform

/// One piece of work for another thread and what to do on the loop when it is done.
///
/// `work` runs on the worker, then `completion` runs on the loop. The two never run at once,
/// and `completion` alone may touch what belongs to the loop; that is why `@unchecked` holds.
/// What both hold is let go on the loop, too: the worker, which may have the job a little longer,
/// never ends anything's life.
package final class Job: @unchecked Sendable {
  private var work: (() -> Void)?
  private var completion: (() -> Void)?

  /// Makes a job; `completion` captures what `work` left in a box shared by both.
  package init(work: @escaping () -> Void, completion: @escaping () -> Void) {
    self.work = work
    self.completion = completion
  }

  /// Called on a worker thread, once.
  fileprivate func run() { work?() }

  /// Called on the loop, once `run` is over.
  fileprivate func complete() {
    let finish = completion
    work = nil
    completion = nil
    finish?()
  }
}

/// Finished jobs on their way back to the loop, with a descriptor that wakes it.
package final class Mailbox: @unchecked Sendable {
  private let lock = Lock()
  private var finished: [Job] = []
  /// Readable while something waits; for the loop's poller.
  package let descriptor: Int32

  /// Throws when the kernel refuses an eventfd.
  package init() throws(SystemError) {
    descriptor = try SystemError.check(cp_wake_create(), "eventfd")
  }

  deinit { _ = cp_close(descriptor) }

  /// Called on a worker thread: hands a finished job back.
  package func deliver(_ job: Job) {
    lock.locked { finished.append(job) }
    cp_wake_signal(descriptor)
  }

  /// Called on the loop: runs the completions of all finished jobs; false when there was none.
  @discardableResult
  package func runCompletions() -> Bool {
    cp_wake_clear(descriptor)
    let jobs = lock.locked {
      let taken = finished
      finished = []
      return taken
    }
    for job in jobs { job.complete() }
    return !jobs.isEmpty
  }
}

/// A thread that runs jobs in order; started with the first one.
package final class Worker: @unchecked Sendable {
  private let lock = Lock()
  private let mailbox: Mailbox
  private let name: StaticString
  private let stackByteCount: Int
  private var queue: [Job] = []
  private var isStarted = false
  private var pending = 0

  /// Makes a worker whose completions go to `mailbox`.
  package init(name: StaticString, mailbox: Mailbox, stackByteCount: Int = 256 * 1024) {
    self.name = name
    self.mailbox = mailbox
    self.stackByteCount = stackByteCount
  }

  /// Jobs not yet finished.
  package var pendingCount: Int { lock.locked { pending } }

  /// Queues a job; `work` runs on this worker, `completion` later on the loop.
  package func submit(_ job: Job) throws(SystemError) {
    let mustStart = lock.locked {
      queue.append(job)
      pending += 1
      let first = !isStarted
      isStarted = true
      lock.unpark()
      return first
    }
    if mustStart {
      try Thread.start(name, stackByteCount: stackByteCount) { [self] in run() }
    }
  }

  /// Waits until every queued job has run; for the stop of the program and for tests.
  package func drain() {
    lock.locked { while pending > 0 { lock.wait() } }
  }

  private func run() {
    while true {
      let jobs = lock.locked {
        if queue.isEmpty { lock.park() }
        let taken = queue
        queue = []
        return taken
      }
      for job in jobs {
        job.run()
        mailbox.deliver(job)
        lock.locked {
          pending -= 1
          if pending == 0 { lock.signal() }
        }
      }
    }
  }
}
