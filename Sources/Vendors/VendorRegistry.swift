// SPDX-License-Identifier: MIT
import Platform

/// All channel types: a table for each kind, so that each stays short.
///
/// The facts are those of the documentation that a row names, read in November 2026. Model lists
/// age quickly: they are what a new channel begins with, never a limit.
package enum VendorRegistry {
  /// All types, in the order in which they are shown.
  package static var all: [Vendor] {
    general + native + chinese + international + applications + local
  }

  /// The type of that slug.
  package static func find(_ slug: ByteString) -> Vendor? {
    find(slug, in: general) ?? find(slug, in: native) ?? find(slug, in: chinese)
      ?? find(slug, in: international) ?? find(slug, in: applications) ?? find(slug, in: local)
  }

  @inline(never)
  private static func find(_ slug: ByteString, in table: [Vendor]) -> Vendor? {
    for vendor in table where slug == vendor.slug { return vendor }
    return nil
  }

  private static let general: [Vendor] = [
    Vendor(
      slug: "openai", name: "OpenAI",
      documentation: "https://platform.openai.com/docs/api-reference",
      defaultBaseURL: "https://api.openai.com/v1", keyForm: "sk-…",
      taskList: """
        chat completions responses embeddings images speech transcription moderations
        """,
      modelList: """
        gpt-5 gpt-5-mini gpt-5-nano gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-4o gpt-4o-mini o3 \
        o4-mini gpt-3.5-turbo gpt-3.5-turbo-instruct text-embedding-3-small text-embedding-3-large \
        text-embedding-ada-002
        """,
      quirks: .limitsCompletions),
    Vendor(
      slug: "openai-compatible", name: "OpenAI-compatible",
      documentation: "https://platform.openai.com/docs/api-reference", isKeyOptional: true,
      taskList: """
        chat completions embeddings images speech transcription moderations rerank
        """),
    Vendor(
      slug: "azure", name: "Azure OpenAI",
      documentation: "https://learn.microsoft.com/azure/ai-foundry/openai/reference",
      keyHeader: "api-key: ",
      taskList: "chat completions responses embeddings images speech transcription",
      fieldList: """
        api_version|API version; empty for the v1 route|2024-10-21
        deployment_dots|Dots of model names in deployment names||keep|keep,strip
        """,
      errorCodes: """
        key|401|PermissionDenied
        model|DeploymentNotFound
        rate|429|RateLimitReached
        content|content_filter
        length|context_length_exceeded
        """,
      quirks: [.deployments, .limitsCompletions]),
  ]
}
