// SPDX-License-Identifier: MIT
import Platform

/// What iFlytek's WebSocket calls a model, and what it can do.
///
/// Source: https://www.xfyun.cn/doc/spark/Web.html, read 2026-11.
struct SparkModel {
  /// Names that owners use, in lower case, with spaces between.
  let names: StaticString
  let domain: StaticString
  let path: StaticString
  /// Longest answer in tokens.
  let maxTokens: Int64
  /// Whether it knows the system's role, and functions.
  var isFull = true

  private static let all = [
    SparkModel(
      names: "spark-lite sparkdesk-v1.1 lite general", domain: "lite", path: "/v1.1/chat",
      maxTokens: 4096, isFull: false),
    SparkModel(
      names: "spark-pro sparkdesk-v3.1 generalv3", domain: "generalv3", path: "/v3.1/chat",
      maxTokens: 8192),
    SparkModel(
      names: "spark-pro-128k sparkdesk-v3.1-128k pro-128k", domain: "pro-128k",
      path: "/chat/pro-128k", maxTokens: 4096, isFull: false),
    SparkModel(
      names: "spark-max sparkdesk-v3.5 generalv3.5", domain: "generalv3.5", path: "/v3.5/chat",
      maxTokens: 8192),
    SparkModel(
      names: "spark-max-32k sparkdesk-v3.5-32k max-32k", domain: "max-32k", path: "/chat/max-32k",
      maxTokens: 8192),
    SparkModel(
      names: "spark-4.0-ultra sparkdesk-v4.0 4.0ultra", domain: "4.0Ultra", path: "/v4.0/chat",
      maxTokens: 32_768),
    SparkModel(names: "spark-x1 x1", domain: "x1", path: "/v1/x1", maxTokens: 32_768),
  ]

  /// The model of that name, in any case.
  static func find(_ name: ByteString) -> SparkModel? {
    let name = name.lowercased
    for model in all where ByteString(model.names).list(separatedBy: 0x20).contains(name) {
      return model
    }
    return nil
  }
}
