// SPDX-License-Identifier: MIT
import Glibc
import Testing

@testable import Platform

struct MailboxTests {
  private func isReadable(_ descriptor: Int32) -> Bool {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&watched, 1, 0) == 1
  }

  @Test func wakesTheLoopUntilTheCompletionsRan() throws {
    let mailbox = try Mailbox()
    #expect(!isReadable(mailbox.descriptor))
    let log = Lines()
    mailbox.deliver(Job(work: {}, completion: { log.append(1) }))
    mailbox.deliver(Job(work: {}, completion: { log.append(2) }))
    #expect(isReadable(mailbox.descriptor))
    #expect(log.values == [])
    mailbox.runCompletions()
    #expect(log.values == [1, 2])
    #expect(!isReadable(mailbox.descriptor))
    mailbox.runCompletions()
    #expect(log.values == [1, 2])
  }

  @Test func keepsWhatACompletionDelivers() throws {
    let mailbox = try Mailbox()
    let log = Lines()
    let second = Job(work: {}, completion: { log.append(2) })
    mailbox.deliver(
      Job(
        work: {},
        completion: {
          log.append(1)
          mailbox.deliver(second)
        }))
    mailbox.runCompletions()
    #expect(log.values == [1])
    #expect(isReadable(mailbox.descriptor))
    mailbox.runCompletions()
    #expect(log.values == [1, 2])
  }

  @Test func runsJobsInOrderOnAnotherThread() throws {
    let mailbox = try Mailbox()
    let worker = Worker(name: "test", mailbox: mailbox)
    let (worked, completed) = (Lines(), Lines())
    let here = pthread_self()
    for value in 0..<100 {
      try worker.submit(
        Job(
          work: {
            #expect(pthread_equal(here, pthread_self()) == 0)
            worked.append(value)
          },
          completion: {
            #expect(pthread_equal(here, pthread_self()) != 0)
            completed.append(value)
          }))
    }
    worker.drain()
    #expect(worker.pendingCount == 0)
    #expect(worked.values == Array(0..<100))
    #expect(completed.values == [])
    mailbox.runCompletions()
    #expect(completed.values == Array(0..<100))
  }

  @Test func givesWhatWorkLeftToTheCompletion() throws {
    let mailbox = try Mailbox()
    let worker = Worker(name: "test", mailbox: mailbox, stackByteCount: 128 * 1024)
    let box = Lines()
    var seen: [Int] = []
    try worker.submit(Job(work: { box.append(42) }, completion: { seen = box.values }))
    worker.drain()
    mailbox.runCompletions()
    #expect(seen == [42])
  }

  @Test func whatAJobHoldsEndsOnTheLoop() throws {
    let mailbox = try Mailbox()
    let worker = Worker(name: "test", mailbox: mailbox)
    let (isQueued, isSeen, ended) = (Lines(), Lines(), Lines())
    // The first job is held up until all wait, so that the worker takes the next two at once.
    try worker.submit(Job(work: { isQueued.wait(count: 1) }, completion: {}))
    try submitHolder(of: ended, to: worker)
    let isRunning = Lines()
    try worker.submit(
      Job(
        work: {
          isRunning.append(0)
          isSeen.wait(count: 1)
        }, completion: {}))
    isQueued.append(0)
    isRunning.wait(count: 1)
    // The worker is in the last job and still has the one before, whose completion ran.
    mailbox.runCompletions()
    #expect(ended.values == [1])
    isSeen.append(0)
    worker.drain()
    mailbox.runCompletions()
  }

  /// Submits a job both parts of which hold an object that notes its end.
  private func submitHolder(of ended: Lines, to worker: Worker) throws {
    let held = Held(ended, pthread_self())
    try worker.submit(
      Job(work: { held.look() }, completion: { held.look() }))
  }

  @Test func takesJobsFromSeveralThreads() throws {
    let mailbox = try Mailbox()
    let worker = Worker(name: "test", mailbox: mailbox)
    let worked = Lines()
    let started = Lines()
    for thread in 0..<4 {
      try Thread.start("submitter") {
        for value in 0..<50 {
          try? worker.submit(Job(work: { worked.append(thread * 50 + value) }, completion: {}))
        }
        started.append(thread)
      }
    }
    started.wait(count: 4)
    worker.drain()
    #expect(worked.values.sorted() == Array(0..<200))
  }
}

/// Notes its end: 1 on the thread that it was made for, else 0.
private final class Held: @unchecked Sendable {
  private let ended: Lines
  private let thread: pthread_t

  init(_ ended: Lines, _ thread: pthread_t) {
    self.ended = ended
    self.thread = thread
  }

  deinit { ended.append(pthread_equal(thread, pthread_self()) != 0 ? 1 : 0) }

  func look() {}
}

/// Numbers gathered by several threads.
private final class Lines: @unchecked Sendable {
  private let lock = Lock()
  private var gathered: [Int] = []

  var values: [Int] { lock.locked { gathered } }

  func append(_ value: Int) {
    lock.locked {
      gathered.append(value)
      lock.signal()
    }
  }

  func wait(count: Int) {
    lock.locked { while gathered.count < count { lock.wait() } }
  }
}
