// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Reads an upstream's JSON answer as it passes: valid or not, and its usage.
///
/// A short answer is held until it is complete, so that a broken one can still be retried; a
/// longer one streams through and is followed by the same scanner.
final class AnswerDocument {
  /// Answers up to this size are held until complete.
  static let heldByteCount = 64 * 1024
  /// Longest answer, in bytes; a longer one is broken off.
  static let byteLimit: Int64 = 16 * 1024 * 1024

  /// Memory kept for the next answer.
  private static let keptByteCount = 4096

  private enum Field: Int { case usage, error, meta }
  private let scanner: JSONScanner
  private(set) var isBroken = false
  private(set) var byteCount: Int64 = 0
  /// What is held; empty once the answer streams.
  let held = Buffer()

  init() {
    var limits = JSONLimits.standard
    limits.captureByteCount = 4096
    scanner = JSONScanner(
      watching: ["usage", "error", "meta"], limits: limits, requiresObject: true,
      refusesDuplicates: false)
  }

  /// Forgets everything for the next answer.
  func reset() {
    scanner.reset()
    isBroken = false
    byteCount = 0
    repairedUsage = nil
    knownUsage = nil
    held.clear()
    if held.reservedByteCount > AnswerDocument.keptByteCount { held.release() }
  }

  /// Takes the next bytes.
  func read(_ bytes: Span<UInt8>) {
    byteCount += Int64(bytes.count)
    guard !isBroken else { return }
    do throws(JSONError) {
      try scanner.scan(bytes)
    } catch {
      isBroken = true
    }
  }

  /// The answer is complete; false when it is not one JSON object.
  func finish() -> Bool {
    guard !isBroken else { return false }
    do throws(JSONError) {
      try scanner.finish()
      return true
    } catch {
      isBroken = true
      return false
    }
  }

  /// Whether the answer is an error in spite of its status.
  var hasError: Bool { scanner.member(Field.error.rawValue)?.kind == .object }

  /// The usage of an answer that was changed for clients.
  var repairedUsage: Usage?

  /// The usage that was read once the answer was complete.
  private var knownUsage: Usage?

  /// The reported usage; nil without one.
  var usage: Usage? {
    if let known = repairedUsage ?? knownUsage { return known }
    let usage =
      scanner.withLexeme(Field.usage.rawValue) { Usage.parse($0) }
      ?? scanner.withLexeme(Field.meta.rawValue) { AnswerDocument.usage(ofMeta: $0) }
    if scanner.isComplete { knownUsage = usage }
    return usage
  }

  /// The prompt's tokens of calls that tell nothing but a total, such as Jina's.
  var totalUsage: Usage? {
    scanner.withLexeme(Field.usage.rawValue) { usage in
      guard let range = JSONQuery.member("total_tokens", in: usage),
        let total = Usage.count(UnsafeRawBufferPointer(rebasing: usage[range]))
      else { return nil }
      return Usage(promptTokens: total, isReported: true)
    }
  }

  /// What Cohere and SiliconFlow report of ranked documents.
  private static func usage(ofMeta meta: UnsafeRawBufferPointer) -> Usage? {
    for key in ["tokens", "billed_units"] as [StaticString] {
      guard let range = JSONQuery.member(key, in: meta) else { continue }
      if let usage = Usage.parse(UnsafeRawBufferPointer(rebasing: meta[range])) { return usage }
    }
    return nil
  }

  /// What was produced, from the amount of text.
  var completionEstimate: Int64 {
    Usage.estimate(
      asciiByteCount: scanner.asciiTextByteCount, nonASCIIByteCount: scanner.nonASCIITextByteCount)
  }
}
