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
      ("/v1/images/edits", .imageEdits), ("/v1/images/variations", .imageVariations),
      ("/v1/audio/speech", .speech), ("/v1/audio/transcriptions", .transcriptions),
      ("/v1/audio/translations", .translations), ("/v1/moderations", .moderations),
      ("/v1/rerank", .rerank), ("/v1/reranks", .rerank), ("/v2/rerank", .rerank),
      ("/rerank", .rerank), ("/v1/audio", nil), ("/v2/reranks", nil), ("/v1", nil), ("/v1/", nil),
      ("/v1/chat/completions?a=b", .chat),
      ("/v1/chat%2Fcompletions", .chat), ("/v1/x/../embeddings", .embeddings),
      ("/v1/chat/completions/", nil), ("/v1/chat", nil), ("/chat/completions", nil),
      ("/v1/Chat/Completions", nil), ("/v2/chat/completions", nil), ("/v1/models", nil), ("/", nil),
    ] as [(String, RelayMode?)])
  func isFoundByThePath(_ path: String, _ mode: RelayMode?) throws {
    #expect(RelayTarget(try RelayFixtures.head(path: path))?.mode == mode)
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
    #expect(RelayMode.speech.canStream && RelayMode.transcriptions.canStream)
    #expect(RelayMode.allCases.filter(\.asksUsage) == [.chat, .completions])
  }

  @Test func knowsWhatItTakesAndGives() {
    #expect(
      RelayMode.allCases.filter(\.takesForm)
        == [.imageEdits, .imageVariations, .transcriptions, .translations])
    #expect(RelayMode.allCases.filter(\.hasPassage) == [.speech, .transcriptions, .translations])
    #expect(RelayMode.allCases.filter(\.isImages) == [.images, .imageEdits, .imageVariations])
    #expect(
      RelayMode.allCases.filter(\.hasCompletion)
        == [.chat, .completions, .transcriptions, .translations])
    #expect(RelayMode.allCases.filter { !$0.defaultModel.isEmpty }.count == 2)
  }
}
