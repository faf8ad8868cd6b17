// SPDX-License-Identifier: MIT

/// What vendors' error codes and types mean, in one place: for requests and for tests alike.
///
/// Exact words only; those of OpenAI, DeepSeek, Moonshot and servers that copy them.
enum VendorCodes {
  /// Codes and types that mean an empty account, which another channel may not have.
  static let emptyAccount: [StaticString] = [
    "insufficient_quota", "billing_hard_limit_reached", "billing_not_active",
    "exceeded_current_quota_error",
  ]

  /// Codes and types that mean a key of no use.
  static let uselessKey: [StaticString] = [
    "invalid_api_key", "account_deactivated", "invalid_authentication_error",
    "incorrect_api_key_error",
  ]

  /// Codes and types that mean an unknown model.
  static let unknownModel: [StaticString] = [
    "model_not_found", "resource_not_found_error", "invalid_model",
  ]

  /// Codes that tell a client what is wrong with its request, even with status 200.
  static let wrongRequest: [StaticString] = [
    "context_length_exceeded", "string_above_max_length", "invalid_value", "invalid_type",
    "unsupported_parameter", "unsupported_value", "missing_required_parameter",
    "unknown_parameter", "content_filter", "content_policy_violation", "invalid_image",
    "invalid_image_url", "invalid_image_format", "image_too_large", "invalid_json",
  ]

  /// Codes by which this gateway refuses clients; an upstream's must not look like one of them.
  static let ownCodes: [StaticString] = [
    "invalid_api_key", "token_disabled", "token_expired", "ip_not_allowed", "model_not_allowed",
    "model_not_priced", "insufficient_quota", "rate_limit_exceeded", "unknown_url",
    "method_not_allowed", "upstream_auth_failed", "upstream_quota_exhausted",
  ]
}
