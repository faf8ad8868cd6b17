// SPDX-License-Identifier: MIT
import Platform

/// All channel types.
package enum VendorRegistry {
  package static let all: [Vendor] = [
    Vendor(
      slug: "openai", name: "OpenAI", defaultBaseURL: "https://api.openai.com/v1",
      models: [
        "gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o",
        "gpt-4o-mini", "o3", "o4-mini", "gpt-3.5-turbo", "gpt-3.5-turbo-instruct",
        "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002",
      ],
      isKeyOptional: false,
      source: "https://platform.openai.com/docs/api-reference, read 2026-11"),
    Vendor(
      slug: "openai-compatible", name: "OpenAI-compatible", defaultBaseURL: "",
      models: [], isKeyOptional: true,
      source: "the same API on the owner's own server"),
    Vendor(
      slug: "deepseek", name: "DeepSeek", defaultBaseURL: "https://api.deepseek.com/v1",
      models: ["deepseek-chat", "deepseek-reasoner"], isKeyOptional: false,
      balance: Balances.deepSeek,
      source: "https://api-docs.deepseek.com, read 2026-11"),
    Vendor(
      slug: "moonshot", name: "Moonshot AI (Kimi)", defaultBaseURL: "https://api.moonshot.cn/v1",
      models: [
        "kimi-k2-0905-preview", "kimi-k2-turbo-preview", "kimi-latest", "moonshot-v1-auto",
        "moonshot-v1-8k", "moonshot-v1-32k", "moonshot-v1-128k",
      ],
      isKeyOptional: false, balance: Balances.moonshot,
      source: "https://platform.moonshot.cn/docs, read 2026-11"),
    Vendor(
      slug: "ollama", name: "Ollama", defaultBaseURL: "http://127.0.0.1:11434/v1",
      models: [], isKeyOptional: true,
      source: "https://docs.ollama.com/openai, read 2026-11"),
  ]

  /// The type of that slug.
  package static func find(_ slug: ByteString) -> Vendor? {
    for vendor in all where slug == vendor.slug { return vendor }
    return nil
  }
}
