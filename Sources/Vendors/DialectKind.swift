// SPDX-License-Identifier: MIT

/// Which dialect a row's vendor speaks: a number, so that rows stay static data.
package enum DialectKind: UInt8, CaseIterable, Sendable {
  case openAI, anthropic, gemini, vertex, dashScope, ernie, sparkSocket, hunyuanNative, cohere
  case ollama, bedrock, cloudflare, replicate, dify, difyAgent, coze

  /// The dialect itself.
  package var dialect: Dialect {
    switch self {
    case .openAI: .openAI
    case .anthropic: .anthropic
    case .gemini: .gemini
    case .vertex: .vertex
    case .dashScope: .dashScope
    case .ernie: .ernie
    case .sparkSocket: .sparkSocket
    case .hunyuanNative: .hunyuanNative
    case .cohere: .cohere
    case .ollama: .ollama
    case .bedrock: .bedrockConverse
    case .cloudflare: .cloudflare
    case .replicate: .replicate
    case .dify: .dify
    case .difyAgent: .difyAgent
    case .coze: .coze
    }
  }
}
