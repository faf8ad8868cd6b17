// SPDX-License-Identifier: MIT
import Testing

@testable import Platform

struct RandomTests {
  @Test func givesAsManyBytesAsAsked() {
    for count in [0, 1, 16, 1000] { #expect(Random.bytes(count).count == count) }
  }

  @Test func repeatsNothing() {
    #expect(Random.bytes(32) != Random.bytes(32))
    #expect(Set((0..<100).map { _ in Random.number() }).count == 100)
  }

  @Test func makesKeysOfLettersAndDigits() {
    let text = Random.base62(4000)
    #expect(text.count == 4000)
    #expect(text.bytes.allSatisfy { ASCII.isDigit($0) || ASCII.isLetter($0) })
    #expect(Set(text.bytes).count == 62)
    #expect(Random.base62(0) == .empty)
  }

  @Test func doesNotWaitWhereThereAreRandomNumbers() {
    #expect(Random.wait(milliseconds: 0) { Issue.record("it waits") })
  }
}
