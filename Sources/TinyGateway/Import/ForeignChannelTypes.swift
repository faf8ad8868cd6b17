// SPDX-License-Identifier: MIT
import Platform

/// Which program wrote the database that is imported: their channel types have other numbers.
enum ForeignProduct: Sendable {
  case oneAPI, newAPI

  /// Parses `one-api|new-api`; nil for anything else.
  init?(_ text: ByteString) {
    if text == "one-api" {
      self = .oneAPI
    } else if text == "new-api" {
      self = .newAPI
    } else {
      return nil
    }
  }

  var name: StaticString { self == .oneAPI ? "One API" : "New API" }
}

/// A channel type of One API or New API, and what serves such a channel here.
struct ForeignChannelType {
  enum Service: Equatable {
    /// Nothing: its dialect is not spoken here.
    case none
    /// The channel type of that slug.
    case own(ByteString)
    /// `openai-compatible`, at the address that was asked before.
    case compatible
  }

  let name: ByteString
  let service: Service
  /// Where channels without an address go, with the version segment only where the other program
  /// does not put `/v1`; empty when the owner must give one.
  let baseURL: ByteString

  /// The type of that number; nil when the product knows none.
  static func find(_ number: Int64, of product: ForeignProduct) -> ForeignChannelType? {
    switch product {
    case .oneAPI: find(number, in: oneAPI) ?? find(number, in: common)
    case .newAPI: find(number, in: newAPI) ?? find(number, in: common)
    }
  }

  private static func find(_ number: Int64, in table: StaticString) -> ForeignChannelType? {
    let wanted = ByteString(number: number)
    for line in ByteString(table).list(separatedBy: 0x0A) {
      guard let (first, facts) = line.split(at: UInt8(ascii: "|")), first == wanted,
        let (name, rest) = facts.split(at: UInt8(ascii: "|")),
        let (service, address) = rest.split(at: UInt8(ascii: "|"))
      else { continue }
      return ForeignChannelType(name: name, service: self.service(service), baseURL: address)
    }
    return nil
  }

  private static func service(_ text: ByteString) -> Service {
    if text == "-" { return .none }
    if text == "+" { return .compatible }
    return .own(text)
  }

  /// Types that have one number in both: number, name, service, address.
  ///
  /// Services: `-` none, `+` compatible, else a slug of `VendorRegistry`.
  /// Source: the channel type lists of One API 0.6.11 and New API 1.0, read 2026-11.
  private static let common: StaticString = """
    1|OpenAI|openai|
    3|Azure|azure|
    6|OpenAIMax|+|https://api.openaimax.com
    7|OhMyGPT|+|https://api.ohmygpt.com
    8|Custom|+|
    9|Ails|+|https://api.caipacity.com
    10|AIProxy|+|https://api.aiproxy.io
    11|PaLM|-|
    12|API2GPT|+|https://api.api2gpt.com
    13|AIGC2D|+|https://api.aigc2d.com
    14|Anthropic|anthropic|
    15|Baidu|ernie-v1|
    16|Zhipu|zhipu|
    17|Ali|qwen|
    18|Xunfei|spark-ws|
    19|360|360|
    20|OpenRouter|openrouter|
    21|AIProxyLibrary|-|
    22|FastGPT|+|https://fastgpt.run/api/openapi
    23|Tencent|hunyuan-native|
    24|Gemini|gemini|
    25|Moonshot|moonshot|
    """

  /// What One API has beyond the common ones, and where it differs.
  private static let oneAPI: StaticString = """
    2|API2D|+|https://oa.api2d.net
    4|CloseAI|+|https://api.closeai-proxy.xyz
    5|OpenAI-SB|+|https://api.openai-sb.com
    26|Baichuan|baichuan|
    27|MiniMax|minimax|
    28|Mistral|mistral|
    29|Groq|groq|
    30|Ollama|ollama|
    31|LingYiWanWu|01-ai|
    32|StepFun|stepfun|
    33|AWS|-|
    34|Coze|coze|
    35|Cohere|cohere|
    36|DeepSeek|deepseek|
    37|Cloudflare|-|
    38|DeepL|-|
    39|together.ai|together|
    40|Doubao|doubao|
    41|Novita|novita|
    42|Vertex AI|-|
    43|Proxy|-|
    44|SiliconFlow|siliconflow|
    45|xAI|xai|
    46|Replicate|replicate|
    47|Baidu v2|ernie|
    48|Xunfei v2|spark|
    49|Ali Bailian|qwen|
    50|OpenAI-compatible|+|
    51|Gemini (OpenAI-compatible)|-|
    """

  /// What New API has beyond the common ones, and where it differs.
  private static let newAPI: StaticString = """
    2|Midjourney|-|
    4|Ollama|ollama|
    5|Midjourney Plus|-|
    19|360|+|https://api.360.cn
    26|Zhipu v4|zhipu|
    27|Perplexity|perplexity|
    31|LingYiWanWu|01-ai|
    33|AWS|-|
    34|Cohere|cohere|
    35|MiniMax|minimax|
    36|Suno|-|
    37|Dify|dify|
    38|Jina|jina|
    39|Cloudflare|-|
    40|SiliconFlow|siliconflow|
    41|Vertex AI|-|
    42|Mistral|mistral|
    43|DeepSeek|deepseek|
    44|MokaAI|-|
    45|VolcEngine|doubao|
    46|Baidu v2|ernie|
    47|Xinference|xinference|
    48|xAI|xai|
    49|Coze|coze|
    50|Kling|-|
    51|Jimeng|-|
    52|Vidu|-|
    53|Submodel|+|https://llm.submodel.ai
    54|Doubao video|-|
    55|Sora|-|
    56|Replicate|replicate|
    57|Codex|-|
    58|Advanced Custom|-|
    59|Sub2API|+|
    60|New API|+|
    """
}
