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
