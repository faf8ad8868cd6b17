// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import MiniHTTP
@testable import TinyGateway

/// Which paths are relayed, and as what.
struct RelayModeTests {
  @Test(
    arguments: [
      ("/v1/chat/completions", .chat), ("/v1/completions", .completions),
      ("/v1/embeddings", .embeddings), ("/v1/images/generations", .images),
      ("/v1/images/edits", nil), ("/v1/chat/completions?a=b", .chat),
      ("/v1/chat%2Fcompletions", .chat), ("/v1/x/../embeddings", .embeddings),
      ("/v1/chat/completions/", nil), ("/v1/chat", nil), ("/chat/completions", nil),
      ("/v1/Chat/Completions", nil), ("/v2/chat/completions", nil), ("/v1/models", nil), ("/", nil),
    ] as [(String, RelayMode?)])
  func isFoundByThePath(_ path: String, _ mode: RelayMode?) throws {
    #expect(RelayMode(try RelayFixtures.head(path: path)) == mode)
  }

  @Test func knowsItsCall() {
    #expect(RelayMode.chat.call.text == "/chat/completions")
    #expect(RelayMode.completions.call.text == "/completions")
    #expect(RelayMode.embeddings.call.text == "/embeddings")
    #expect(RelayMode.images.call.text == "/images/generations")
  }

  @Test func knowsWhetherItCanStream() {
    #expect(RelayMode.chat.canStream)
    #expect(RelayMode.completions.canStream)
    #expect(!RelayMode.embeddings.canStream)
    #expect(!RelayMode.images.canStream)
  }
}
