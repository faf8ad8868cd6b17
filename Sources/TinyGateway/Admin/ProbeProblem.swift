// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Vendors

/// What an upstream's refusal of a probe means, in plain words with the vendor's own behind them.
enum ProbeProblem {
  /// The problem of an answer without success; nil for status 200.
  ///
  /// `model`: the public name of the model that was asked for; nil for calls without one.
  static func of(
    _ outcome: UpstreamProbe.Outcome, _ channel: Channel, model: ByteString? = nil
  ) -> ByteString? {
    guard let status = outcome.status else { return outcome.failure }
    guard status != 200 else { return nil }
    let upstreamModel = model.map { channel.upstreamModel(for: $0) }
    var told = told(outcome.body, channel)
    var known: ByteString?
    if !channel.vendor.isOpenAI {
      let said = ErrorAnswer(
        status: status, body: outcome.body.byteString, format: channel.vendor.dialect.errors)
      told = AdminText.redacted(said.message, hiding: channel.keys)
      known = reason(said.meaning, isJudged: !said.code.isEmpty, upstreamModel)
    }
    return (known ?? reason(status, outcome.body, upstreamModel))
      + " (" + ByteString(number: Int64(status)) + ")" + (told.isEmpty ? told : ": " + told)
  }

  /// What a vendor's own code means; nil where the status says as much.
  private static func reason(
    _ meaning: FailureMeaning, isJudged: Bool, _ model: ByteString?
  ) -> ByteString? {
    switch meaning {
    case .accountEmpty: return "the upstream account has no balance"
    case .keyRefused: return "the upstream refuses the key"
    case .modelMissing where isJudged:
      return model.map { "the upstream does not know the model " + $0 }
    case .tooManyRequests: return "the upstream's rate limit is reached: try again later"
    default: return nil
    }
  }

  private static func reason(_ status: Int, _ body: Buffer, _ model: ByteString?) -> ByteString {
    if status == 402 || has(VendorCodes.emptyAccount, body) {
      return "the upstream account has no balance"
    }
    if status == 401 || has(VendorCodes.uselessKey, body) {
      return "the upstream refuses the key"
    }
    let isAPI = JSONQuery.kind(of: body.readable) == .object
    if let model, has(VendorCodes.unknownModel, body) {
      return "the upstream does not know the model " + model
    }
    switch status {
    case 300...399: return "the upstream redirects to another address: base_url is wrong"
    case 403: return "the upstream refuses the key, or its use for this or from here"
    case 404 where !isAPI: return "there is no such API at this address: base_url is wrong"
    case 404:
      guard let model else { return "the upstream has no such call: is base_url right?" }
      return "the upstream does not know the model " + model + ", or base_url is wrong"
    case 408, 504: return "the upstream did not answer in time"
    case 429: return "the upstream's rate limit is reached: try again later"
    case 400...499 where !isAPI:
      return "the upstream refuses the request, and not as an API would: is base_url right?"
    case 400...499: return "the upstream refuses the request"
    default: return "the upstream fails"
    }
  }

  /// Whether the error's code or type is one of these.
  private static func has(_ words: [StaticString], _ body: Buffer) -> Bool {
    for key: StaticString in ["code", "type"] {
      guard let word = JSONQuery.string(["error", key], in: body.readable) else { continue }
      if words.contains(where: { word == $0 }) { return true }
    }
    return false
  }

  /// Whether the answer is HTML.
  static func isPage(_ body: Buffer) -> Bool {
    body.withReadable { bytes in
      for index in bytes.indices where bytes[index] > 0x20 {
        return bytes[index] == UInt8(ascii: "<")
      }
      return false
    }
  }

  /// The vendor's message without keys; empty for none.
  static func told(_ body: Buffer, _ channel: Channel) -> ByteString {
    AdminText.redacted(
      UpstreamError(status: 0, retryAfter: nil, body: body).message, hiding: channel.keys)
  }
}
