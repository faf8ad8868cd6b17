// SPDX-License-Identifier: MIT
import Platform
import Testing
import Vendors

@testable import MiniHTTP
@testable import TinyGateway

/// What a request's path says, and in whose words errors are told below it.
struct RelayTargetTests {
  @Test(
    arguments: [
      ("/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", .chat, "gpt-4o"),
      ("/openai/deployments/a%2Fb/embeddings", .embeddings, "a/b"),
      ("/openai/deployments/a/b/embeddings", .embeddings, "a/b"),
      ("/openai/v1/chat/completions", .chat, ""), ("/openai/v1/embeddings", .embeddings, ""),
      ("/openai/deployments//chat/completions", nil, ""),
      ("/openai/deployments/chat/completions", nil, ""),
      ("/openai/deployments/a/models", nil, ""), ("/openai/chat/completions", nil, ""),
      ("/openai/", nil, ""), ("/openai/v1/", nil, ""), ("/openai/deployments/", nil, ""),
    ] as [(String, RelayMode?, String)])
  func readsPathsOfAzure(_ path: String, _ mode: RelayMode?, _ model: String) throws {
    let target = RelayTarget(try RelayFixtures.head(path: path))
    #expect(target?.mode == mode)
    #expect(target?.model.text ?? "" == model)
    #expect(target?.namesModelInPath ?? false == !model.isEmpty)
  }

  @Test(
    arguments: [
      ("/v1beta/models/{model}:generate", "/v1beta/models/gemini-2:generate", "gemini-2"),
      ("/v1beta/models/{model}:generate", "/v1beta/models/a:b:generate", "a:b"),
      ("/v1beta/models/{model}:generate", "/v1beta/models/:generate", nil),
      ("/v1beta/models/{model}:generate", "/v1beta/models/gemini-2:generatE", nil),
      ("/v1beta/models/{model}:generate", "/v1beta/model/gemini-2:generate", nil),
      ("/v1beta/models/{model}:generate", "/v1beta/models", nil),
      ("/v1/messages", "/v1/messages", ""), ("/v1/messages", "/v1/message", nil),
      ("/v1/messages", "/v1/messages/", nil),
    ] as [(StaticString, String, String?)])
  func findsTheModelInAPath(_ pattern: StaticString, _ path: String, _ model: String?) {
    let row = RelayPath(path: pattern, mode: .chat, dialect: .openAI)
    let bytes = Array(path.utf8)
    let found = row.match(bytes.span)
    #expect(found?.text == model)
  }

  /// Every row of the table is found by its own path, with the model that it has there.
  @Test func findsEachRowOfTheTable() throws {
    for row in RelayPath.all {
      let path = row.path.text.replacing("{model}", with: "m-1")
      let query = row.query.map { "?\($0.name.text)=\($0.value.text)" } ?? ""
      let target = RelayTarget(try RelayFixtures.head(path: path + query))
      #expect(target?.dialect.name.text == row.dialect.name.text, "\(path)")
      #expect(target?.mode == row.mode && target?.isStream == row.isStream, "\(path)")
      #expect(target?.model.text == (row.path.text.contains("{") ? "m-1" : ""), "\(path)")
    }
  }
}

/// How a request goes, from each client's protocol to each vendor's.
struct RelayWayTests {
  /// A client's protocol that is that of a vendor.
  private func target(passes: StaticString, mode: RelayMode = .chat) throws -> RelayTarget {
    let dialect = ClientDialect(
      name: "other", passes: passes, fieldNames: [], read: { _ in ChatRequest() },
      makeWriter: { OpenAIWriter($0) }, writeError: { OpenAIWriter.write($0, to: $1) })
    return RelayTarget(
      RelayPath(path: "/other", mode: mode, dialect: dialect), model: .empty)
  }

  @Test func splicesOpenAIsFormat() {
    for mode in RelayMode.allCases {
      #expect(RelayWay.between(RelayTarget(mode), .openAI) == .splice)
    }
  }

  @Test func convertsVectorsWhereTheVendorHasThem() {
    let clients: [ClientDialect] = [.geminiEmbedding, .ollamaEmbeddings]
    for client in clients {
      let row = RelayPath(path: "/other", mode: .embeddings, dialect: client)
      let target = RelayTarget(row, model: .empty)
      #expect(RelayWay.between(target, .openAI) == .convert)
      #expect(RelayWay.between(target, .gemini) == .convert)
      #expect(RelayWay.between(target, .anthropic) == nil)
    }
  }

  @Test func knowsOnlyChatForOtherVendors() {
    for kind in DialectKind.allCases where kind != .openAI {
      for mode in RelayMode.allCases {
        let converts =
          mode.asksUsage || mode == .embeddings && kind.embeddings != nil
        let way = RelayWay.between(RelayTarget(mode), kind)
        let passes = mode == .rerank && kind == .cohere
        #expect(way == (converts ? .convert : passes ? .splice : nil))
      }
    }
  }

  @Test func passesOnWhatIsTheSame() throws {
    for kind in DialectKind.allCases {
      let same = try target(passes: kind.dialect.name)
      #expect(RelayWay.between(same, kind) == .pass)
      #expect(RelayWay.between(try target(passes: ""), kind) == .convert)
      let name = kind.dialect.name.text
      for other in DialectKind.allCases where other.dialect.name.text != name {
        #expect(RelayWay.between(same, other) == .convert)
      }
    }
  }
}
