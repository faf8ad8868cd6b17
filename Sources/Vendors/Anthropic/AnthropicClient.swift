// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

extension ClientDialect {
  /// Anthropic's Messages API.
  package static let anthropic = ClientDialect(
    name: "anthropic", passes: "anthropic",
    fieldNames: [
      (.stop, "stop_sequences"), (.parallelTools, "tool_choice.disable_parallel_tool_use"),
      (.jsonSchema, "output_config.format"), (.reasoning, "thinking"),
      (.toolHistory, "blocks of type tool_use and tool_result"),
      (.images, "blocks of type image"), (.imageURLs, "blocks of type image with a url"),
      (.files, "blocks of type document"), (.system, "system"),
      (.builtInTools, "tools of another type than custom"),
    ],
    read: { (root) throws(ChatProblem) in try AnthropicReader.read(root) },
    makeWriter: { AnthropicWriter($0) },
    writeError: { AnthropicWriter.write($0, to: $1) },
    passedFields: anthropicFields)

  private static let anthropicFields: [StaticString] = ["anthropic-version", "anthropic-beta"]
}

/// Errors in Anthropic's form.
///
/// Source: https://docs.anthropic.com/en/api/errors, read 2026-11.
extension AnthropicWriter {
  /// Appends an error object.
  package static func write(_ error: ClientError, to output: Buffer) {
    var json = JSONWriter(output)
    json.beginObject()
    json.member("type", "error" as StaticString)
    json.key("error")
    json.beginObject()
    json.member("type", type(of: error.status))
    json.member("message", error.message)
    json.endObject()
    json.endObject()
  }

  /// Anthropic's type of an error with this status.
  private static func type(of status: Int) -> StaticString {
    switch status {
    case 401: "authentication_error"
    case 402: "billing_error"
    case 403: "permission_error"
    case 404: "not_found_error"
    case 413: "request_too_large"
    case 429: "rate_limit_error"
    case 503, 529: "overloaded_error"
    case 504: "timeout_error"
    case 500...: "api_error"
    default: "invalid_request_error"
    }
  }
}
