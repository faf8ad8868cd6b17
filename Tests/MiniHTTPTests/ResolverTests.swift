// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP

struct ResolverTests {
  private final class Answers {
    var addresses: [[IPAddress]] = []
    var failures: [ByteString] = []
    var count: Int { addresses.count + failures.count }

    func take(_ answer: Resolver.Answer) {
      switch answer {
      case .addresses(let found): addresses.append(found)
      case .failed(let text): failures.append(text)
      }
    }
  }

  @Test func answersNumericHostsAtOnce() throws {
    let resolver = Resolver(loop: try EventLoop())
    for text: ByteString in ["127.0.0.1", "::1", "2001:db8::1"] {
      let answers = Answers()
      resolver.resolve(text) { answers.take($0) }
      #expect(answers.addresses.first?.map(\.text) == [text])
    }
  }

  @Test func looksUpNamesOnceForAll() throws {
    let loopback = Loopback(loop: try EventLoop())
    let resolver = Resolver(loop: loopback.loop)
    let answers = Answers()
    for _ in 0..<3 { resolver.resolve("localhost") { answers.take($0) } }
    #expect(answers.count == 0)
    loopback.turn { answers.count == 3 }
    #expect(answers.addresses.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isLoopback) })
    resolver.resolve("localhost") { answers.take($0) }
    #expect(answers.count == 4)
    resolver.forget("localhost")
    resolver.resolve("localhost") { answers.take($0) }
    #expect(answers.count == 4)
    loopback.turn { answers.count == 5 }
  }

  /// No name server is asked: a label of more than 63 bytes cannot be one.
  @Test func tellsThatANameHasNoAddress() throws {
    let loopback = Loopback(loop: try EventLoop())
    let resolver = Resolver(loop: loopback.loop)
    let answers = Answers()
    let name = ByteString([UInt8](repeating: 0x61, count: 70))
    resolver.resolve(name) { answers.take($0) }
    loopback.turn { answers.count == 1 }
    #expect(answers.failures.first?.isEmpty == false)
  }
}
