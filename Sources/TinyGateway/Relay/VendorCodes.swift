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

  /// Codes and types that mean too many requests, where there is no status to say so.
  static let tooManyRequests: [StaticString] = [
    "rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error",
  ]

  /// Codes and types that mean an unknown model.
  static let unknownModel: [StaticString] = [
    "model_not_found", "resource_not_found_error", "invalid_model",
  ]

  /// Codes that tell a client what is wrong with its request; only these are passed on, since
  /// any other could look like a statement of the gateway's own.
  static let wrongRequest: [StaticString] = [
    "context_length_exceeded", "string_above_max_length", "invalid_value", "invalid_type",
    "unsupported_parameter", "unsupported_value", "missing_required_parameter",
    "unknown_parameter", "content_filter", "content_policy_violation", "invalid_image",
    "invalid_image_url", "invalid_image_format", "image_too_large", "invalid_json",
  ]
}
