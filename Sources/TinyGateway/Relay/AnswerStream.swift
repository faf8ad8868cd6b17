// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// Reads an upstream's event stream as it passes: takes the usage out, knows how it ended.
///
/// Events go to the client whole and unchanged, but for the usage that only the gateway asked
/// for. A part of an event waits for its rest.
final class AnswerStream {
  /// Longest event; a longer one breaks the stream.
  static let eventByteLimit = 1024 * 1024

  private var parser = EventStreamParser()
  private let hidesUsage: Bool
  /// For vendors whose row asks for it.
  private var repair: AnswerRepair?
  /// Recordings and transcripts: events of other names, which tell their end by their type.
  private let isMedia: Bool
  private(set) var usage = Usage()
  /// Bytes of generated text seen, for the estimate.
  private(set) var asciiByteCount: Int64 = 0
  private(set) var nonASCIIByteCount: Int64 = 0
  /// `[DONE]` has come.
  private(set) var isDone = false
  /// A choice has finished, so the text is complete even without `[DONE]`.
  private(set) var hasFinishReason = false
  /// The upstream sent an error as an event.
  private(set) var hasError = false
  /// The client has not seen that event, since it would not understand it.
  private(set) var hidesError = false
  /// The data of that event, as far as it is looked at.
  private(set) var errorEvent = ByteString.empty
  /// Anything but comments has come.
  private(set) var hasData = false
  /// Longest part of an error event that is kept; a longer one is not understood.
  private static let errorByteLimit = 16 * 1024

  /// - Parameters:
  ///   - hidesUsage: the client did not ask for usage, so it must not see any.
  ///   - isMedia: a recording or a transcript.
  ///   - repair: for vendors whose row asks for it.
  init(hidesUsage: Bool, isMedia: Bool = false, repair: AnswerRepair? = nil) {
    self.hidesUsage = hidesUsage
    self.isMedia = isMedia
    self.repair = repair
  }

  /// Whether the stream may end here.
  var isComplete: Bool { isDone || hasFinishReason }

  /// What was produced, reported or estimated.
  var completionEstimate: Int64 {
    Usage.estimate(asciiByteCount: asciiByteCount, nonASCIIByteCount: nonASCIIByteCount)
  }

  /// Takes whole events from the front of `bytes` and appends what the client sees to `output`.
  ///
  /// - Returns: how many bytes were used; the rest is the beginning of an event.
  func read(_ bytes: Span<UInt8>, to output: Buffer) -> Int {
    var start = 0
    var kept = 0  // The start of the events that pass unchanged.
    while start < bytes.count,
      let length = parser.nextEvent(bytes.extracting(start..<bytes.count))
    {
      let event = bytes.extracting(start..<(start + length))
      if repair != nil, let changed = repaired(event) {
        output.append(bytes.extracting(kept..<start))
        start += length
        kept = start
        append(changed, to: output)
        continue
      }
      switch inspect(event, parser.dataRange(event)) {
      case .pass: break
      case .drop:
        output.append(bytes.extracting(kept..<start))
        kept = start + length
      case .blank(let range):
        output.append(bytes.extracting(kept..<(start + range.lowerBound)))
        output.append("null")
        kept = start + range.upperBound
      }
      start += length
    }
    output.append(bytes.extracting(kept..<start))
    return start
  }

  /// The event as clients understand it, empty when they need not see it; nil when it is so.
  private func repaired(_ event: Span<UInt8>) -> ByteString? {
    guard let range = parser.dataRange(event) else { return nil }
    switch repair?.repair(event: event.extracting(range).rawBuffer) ?? .unchanged {
    case .unchanged: return nil
    case .changed(let data): return "data: " + data + "\n\n"
    case .dropped: return .empty
    case .failed:
      hasData = true
      hasError = true
      hidesError = true
      if range.count <= AnswerStream.errorByteLimit {
        errorEvent = ByteString(event.extracting(range))
      }
      return .empty
    }
  }

  private func append(_ event: ByteString, to output: Buffer) {
    if event.isEmpty { return }
    let span = event.bytes.span
    switch inspect(span, EventStreamParser.dataRange(span)) {
    case .pass: output.append(span)
    case .drop: break
    case .blank(let range):
      output.append(span.extracting(0..<range.lowerBound))
      output.append("null")
      output.append(span.extracting(range.upperBound..<span.count))
    }
  }

  private enum Verdict {
    case pass
    case drop
    /// Replace the value at this range of the event by `null`.
    case blank(Range<Int>)
  }

  /// `range`: of its data, nil without any.
  private func inspect(_ event: Span<UInt8>, _ range: Range<Int>?) -> Verdict {
    guard let range else { return .pass }
    let data = event.extracting(range)
    if !hasData, isNoJSON(data, before: event.extracting(range.upperBound..<event.count)) {
      // Clients would stumble over it; as the first event it is a failed attempt like any other.
      (hasData, hasError, hidesError) = (true, true, true)
      return .drop
    }
    hasData = true
    if data.equals("[DONE]") {
      isDone = true
      // After an error it would look like a clean end.
      return hasError ? .drop : .pass
    }
    let names = readNames(data)
    if isMedia, data.firstIndex(of: ".done\"") != nil,
      let type = JSONQuery.string(["type"], in: data.rawBuffer),
      type == "transcript.text.done" || type == "speech.audio.done"
    {
      hasFinishReason = true
    }
    if names.contains(.error), let error = JSONQuery.member("error", in: data.rawBuffer),
      data[error.lowerBound] == UInt8(ascii: "{")
    {
      hasError = true
      if data.count <= AnswerStream.errorByteLimit { errorEvent = ByteString(data.rawBuffer) }
    }
    guard names.contains(.usage), let value = JSONQuery.member("usage", in: data.rawBuffer),
      let found = Usage.parse(UnsafeRawBufferPointer(rebasing: data.rawBuffer[value]))
    else { return .pass }
    usage = found
    guard hidesUsage else { return .pass }
    if let choices = JSONQuery.member("choices", in: data.rawBuffer), !isEmptyArray(data, choices) {
      return .blank((range.lowerBound + value.lowerBound)..<(range.lowerBound + value.upperBound))
    }
    return .drop
  }

  /// Whether data cannot be an object of JSON, such as a sentence, a page or half an object; `rest`
  /// may have more lines of it.
  private func isNoJSON(_ data: Span<UInt8>, before rest: Span<UInt8>) -> Bool {
    var (start, end) = (0, data.count)
    while start < end, data[start] <= 0x20 { start += 1 }
    while start < end, data[end - 1] <= 0x20 { end -= 1 }
    if start == end || data.extracting(start..<end).equals("[DONE]") { return false }
    return data[start] != UInt8(ascii: "{")
      || data[end - 1] != UInt8(ascii: "}") && EventStreamParser.dataRange(rest) == nil
  }

  /// Whether the value behind a key is a string, that is neither null nor missing.
  private func isString(_ data: Span<UInt8>, behind key: Int) -> Bool {
    var index = key
    while index < data.count, data[index] == UInt8(ascii: ":") || data[index] == 0x20 { index += 1 }
    return index < data.count && data[index] == UInt8(ascii: "\"")
  }

  private func isEmptyArray(_ data: Span<UInt8>, _ range: Range<Int>) -> Bool {
    for index in range {
      let byte = data[index]
      if byte != UInt8(ascii: "["), byte != UInt8(ascii: "]"), byte != 0x20, byte != 0x09 {
        return false
      }
    }
    return true
  }

  /// Members that matter, of which the first in an event counts.
  private struct Names: OptionSet {
    let rawValue: UInt8
    static let finishReason = Names(rawValue: 1)
    static let error = Names(rawValue: 2)
    static let usage = Names(rawValue: 4)
    static let content = Names(rawValue: 8)
    static let delta = Names(rawValue: 16)
    static let reasoning = Names(rawValue: 32)
    static let arguments = Names(rawValue: 64)
    static let text = Names(rawValue: 128)
  }

  /// Finds the members that matter in one pass, adds the text of the deltas, and notes whether a
  /// choice has finished.
  ///
  /// Every chunk of every stream comes here.
  private func readNames(_ data: Span<UInt8>) -> Names {
    let letters = isMedia ? AnswerStream.mediaLetters : AnswerStream.letters
    var names: Names = []
    var start = 0
    while let quote = data.firstName(letters: letters, from: start) {
      start = quote + 1
      guard start + 1 < data.count else { break }
      let (name, text) = AnswerStream.name(data[start], data[start + 1])
      guard name.rawValue != 0, !names.contains(name),
        data.extracting(quote..<data.count).starts(with: text)
      else { continue }
      names.insert(name)
      start = quote + text.utf8CodeUnitCount
      if name == .finishReason {
        hasFinishReason = hasFinishReason || isString(data, behind: start)
      } else if name.rawValue >= Names.content.rawValue {
        start = countString(data, from: start)
      }
    }
    return names
  }

  /// With which the names below begin: a, c, e, f, r, t, u.
  private static let letters: UInt32 = 0b1_1010_0000_0000_0011_0101
  /// The text at the end of a recording or transcript repeats the deltas: c, d, e, f, u.
  private static let mediaLetters: UInt32 = 0b1_0000_0000_0000_0011_1100

  /// The only name with these letters, with its quotes; a text with them may be anything else.
  @inline(__always)
  private static func name(_ first: UInt8, _ second: UInt8) -> (Names, StaticString) {
    switch (first, second) {
    case (UInt8(ascii: "c"), UInt8(ascii: "o")): (.content, "\"content\":")
    case (UInt8(ascii: "f"), UInt8(ascii: "i")): (.finishReason, "\"finish_reason\"")
    case (UInt8(ascii: "u"), UInt8(ascii: "s")): (.usage, "\"usage\"")
    case (UInt8(ascii: "e"), UInt8(ascii: "r")): (.error, "\"error\"")
    case (UInt8(ascii: "d"), UInt8(ascii: "e")): (.delta, "\"delta\":")
    case (UInt8(ascii: "r"), UInt8(ascii: "e")): (.reasoning, "\"reasoning_content\":")
    case (UInt8(ascii: "a"), UInt8(ascii: "r")): (.arguments, "\"arguments\":")
    case (UInt8(ascii: "t"), UInt8(ascii: "e")): (.text, "\"text\":")
    default: ([], "")
    }
  }

  /// Adds the text of the string at `start`, if there is one, and returns where it ends.
  ///
  /// Cheap, since it only matters when usage never comes.
  private func countString(_ data: Span<UInt8>, from start: Int) -> Int {
    let (bytes, count) = (data.rawBuffer, data.count)
    var index = start
    while index < count, data[index] == 0x20 { index += 1 }
    guard let base = bytes.baseAddress, index < count, data[index] == UInt8(ascii: "\"") else {
      return start
    }
    index += 1
    while true {
      let plainEnd = JSONBytes.plainEnd(base, index, count)
      asciiByteCount += Int64(plainEnd - index)
      index = plainEnd
      while index < count, data[index] >= 0x80 {
        nonASCIIByteCount += 1
        index += 1
      }
      guard index < count, data[index] != UInt8(ascii: "\"") else { return index }
      if index == plainEnd {
        asciiByteCount += 1
        index += data[index] == UInt8(ascii: "\\") ? 2 : 1
      }
    }
  }
}
