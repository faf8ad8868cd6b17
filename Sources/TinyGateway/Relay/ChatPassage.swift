// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Vendors

/// Reads a vendor's chat answer as it comes and says what the client gets of it: the same bytes,
/// or the same events in the client's format.
///
/// No socket and no clock: `Relay` gives it the pieces and sends what it appends. What comes
/// before the first content is kept back, so that an error behind it is still a failed attempt.
final class ChatPassage {
  /// What the upstream sends.
  private enum Form {
    /// Known with the first byte: neither headers nor dialects can be trusted alone.
    case undecided
    case stream
    case whole
  }

  /// How an answer that has ended is to be taken.
  enum Ending {
    case complete
    /// It stopped before its end.
    case cut
    /// It is none that the dialect knows.
    case unreadable
  }

  /// Longest answer without content that is kept back.
  private static let pendingByteLimit = 16 * 1024

  private let framer: any StreamFramer
  private let decoder: any ChatDecoder
  private let writer: any ChatWriter
  private let errors: ErrorFormat
  /// What the vendor's own error codes mean.
  private let codes: StaticString
  /// For vendors whose row asks for it.
  private var repair: AnswerRepair?
  /// Whether the client's format is the vendor's.
  private let passes: Bool
  private let isStream: Bool
  private var form = Form.undecided
  /// A whole answer so far, or the beginning of an event that is passed on.
  private let held = Buffer()
  /// What the client gets once there is content.
  private let pending = Buffer()
  private var streamEvents: [StreamEvent] = []
  private var chatEvents: [ChatEvent] = []
  private var folded: ChatAnswer?
  /// Bytes of generated text, for the estimate.
  private var asciiByteCount: Int64 = 0
  private var nonASCIIByteCount: Int64 = 0
  /// Bytes of the answer's events that are kept for no estimate.
  private var otherByteCount: Int64 = 0
  private var passedEventCount: Int64 = 0
  private var accountedByteCount: Int64 = 0

  /// Anything but the beginning has come, so that the answer is the client's.
  private(set) var hasContent = false
  /// The vendor has said why the answer ends.
  private(set) var hasFinished = false
  /// The vendor reported an error in place of the answer, or of its rest.
  private(set) var failure: ErrorAnswer?
  private(set) var usage: ChatUsage?
  /// Where the answer is to be had instead.
  private(set) var following: (url: ByteString, pauseMilliseconds: Int64)?

  /// Makes a passage; `passes`: the client gets the vendor's bytes; `isStream`: it wants a stream;
  /// `repair`, `codes`: of the vendor's row.
  init(
    framing: StreamFraming, errors: ErrorFormat, decoder: any ChatDecoder,
    writer: any ChatWriter, passes: Bool, isStream: Bool, repair: AnswerRepair? = nil,
    codes: StaticString = ""
  ) {
    self.repair = repair
    self.codes = codes
    framer = framing.makeFramer()
    self.errors = errors
    self.decoder = decoder
    self.writer = writer
    self.passes = passes
    self.isStream = isStream
    if case .events = framing { return }
    form = .stream
  }

  /// The head says that the answer is one JSON document.
  func expectDocument() { if form == .stream { form = .whole } }

  /// Takes the next piece and appends what the client gets of it now.
  ///
  /// - Returns: false when the answer is of no use: broken, or longer than `limit` bytes at once.
  func read(_ bytes: Span<UInt8>, limit: Int64, to output: Buffer) -> Bool {
    if form == .undecided, let first = bytes.indices.first(where: { bytes[$0] > 0x20 }) {
      let isDocument = bytes[first] == UInt8(ascii: "{") || bytes[first] == UInt8(ascii: "[")
      form = isDocument ? .whole : .stream
    }
    guard form == .stream else {
      held.append(bytes)
      return Int64(held.count) <= limit
    }
    let isSound = framer.read(bytes, into: &streamEvents)
    decode(bytes, to: output)
    if pending.count > ChatPassage.pendingByteLimit { begin(output) }
    return isSound && Int64(held.count) <= limit && (passesBytes || keptByteCount <= limit)
  }

  /// Bytes that are held of a whole answer, and not accounted yet.
  func unaccountedByteCount() -> Int64 {
    guard !isStream else { return 0 }
    let count = Int64(held.count) + keptByteCount
    defer { accountedByteCount = count }
    return count - accountedByteCount
  }

  /// Bytes that a writer, or the whole answer, may hold by now.
  private var keptByteCount: Int64 { asciiByteCount + nonASCIIByteCount + otherByteCount }

  /// Whether the client sees the bytes that come.
  private var passesBytes: Bool { passes && isStream && form == .stream }

  /// The answer has ended as its transport wants it; appends the rest.
  func end(to output: Buffer) -> Ending {
    var isReadable = true
    switch form {
    case .undecided: isReadable = false
    case .stream:
      _ = framer.end(into: &streamEvents)
      // A last event may lack its empty line, but no part of its data.
      if let last = streamEvents.last, last.json == nil {
        held.clear()
        streamEvents.removeLast()
      }
      let nothing: [UInt8] = []
      decode(nothing.span, to: output)
      decoder.end(into: &chatEvents)
      takeEvents(to: output)
    case .whole: isReadable = readWhole(to: output)
    }
    guard failure == nil, following == nil else { return .complete }
    guard isReadable else { return .unreadable }
    guard hasFinished else { return form == .whole ? .unreadable : .cut }
    if isStream {
      begin(output)
      if passesBytes { output.append(contentsOf: held) } else { writer.end(to: output) }
    } else if passes, form == .whole {
      output.append(contentsOf: held)
    } else {
      writer.write(answer: folded ?? ChatAnswer(), to: output)
    }
    return .complete
  }

  /// Appends an error to a stream that cannot go on, in the client's format.
  func fail(_ error: ClientError, to output: Buffer) {
    if hasContent, passedEventCount > 0 { writer.passed(passedEventCount) }
    writer.fail(error, to: output)
  }

  /// The counts to be charged: the vendor's, but for text that it has not counted yet.
  func usage(promptEstimate: Int64) -> Usage {
    var counts = usage.map { Usage($0) } ?? Usage(promptTokens: promptEstimate)
    let estimate = Usage.estimate(
      asciiByteCount: asciiByteCount, nonASCIIByteCount: nonASCIIByteCount)
    if usage == nil || !hasFinished, estimate > counts.completionTokens {
      counts.completionTokens = estimate
      counts.isReported = false
    }
    return counts
  }

  private func readWhole(to output: Buffer) -> Bool {
    let outcome = repair?.repair(answer: held.readable) ?? .unchanged
    if case .changed(let text) = outcome {
      held.clear()
      held.append(text)
    }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(held).root
    } catch {
      return false
    }
    if outcome == .failed {
      fail(root, held.readable)
      return true
    }
    decoder.read(answer: root, into: &chatEvents)
    judge(held.readable)
    decoder.end(into: &chatEvents)
    takeEvents(to: output)
    if !hasFinished, failure == nil, following == nil {
      let said = ErrorAnswer(status: 200, answer: root, format: errors)
      if !said.code.isEmpty || !said.message.isEmpty { fail(root, held.readable) }
    }
    return true
  }

  /// Takes the events that a piece has completed.
  ///
  /// Only whole ones are passed on, so that an error
  /// behind them is an event too; the vendor's own error is told in the client's words instead.
  private func decode(_ bytes: Span<UInt8>, to output: Buffer) {
    var start = 0
    for event in streamEvents where failure == nil {
      decode(event)
      takeEvents(to: output)
      guard passesBytes, failure == nil, event.end > 0 else { continue }
      let target = hasContent ? output : pending
      target.append(contentsOf: held)
      held.clear()
      target.append(bytes.extracting(start..<event.end))
      start = event.end
      passedEventCount += 1
    }
    streamEvents.removeAll(keepingCapacity: true)
    if passesBytes { held.append(bytes.extracting(start..<bytes.count)) }
  }

  private func decode(_ event: StreamEvent) {
    var event = event
    switch event.data.withBytes({ repair?.repair(event: $0) ?? .unchanged }) {
    case .unchanged: break
    case .changed(let data): event.data = data
    case .dropped: return
    case .failed:
      let said = ErrorAnswer(status: 200, answer: event.json, format: errors)
      chatEvents.append(.failure(event.data.withBytes { said.judged(by: codes, $0) }))
      return
    }
    decoder.read(event, into: &chatEvents)
    event.data.withBytes { judge($0) }
  }

  /// Judges a failure that the decoder has found in a text by the vendor's row.
  private func judge(_ text: UnsafeRawBufferPointer) {
    guard case .failure(let said) = chatEvents.last else { return }
    chatEvents[chatEvents.count - 1] = .failure(said.judged(by: codes, text))
  }

  /// The whole answer is an error.
  private func fail(_ root: JSONValue, _ text: UnsafeRawBufferPointer) {
    let said = ErrorAnswer(status: 200, answer: root, format: errors)
    failure = said.judged(by: codes, text)
  }

  private func takeEvents(to output: Buffer) {
    for event in chatEvents where failure == nil { take(event, output) }
    chatEvents.removeAll(keepingCapacity: true)
  }

  private func take(_ event: ChatEvent, _ output: Buffer) {
    switch event {
    case .failure(let said):
      failure = said
      return
    case .follow(let url, let pause):
      following = (url, pause)
      return
    case .start: break
    case .reasoningSignature(let piece): otherByteCount += Int64(piece.count)
    case .usage(let usage):
      // Counts that are all zero say nothing.
      if usage != ChatUsage() { self.usage = usage }
    case .text(let piece), .reasoning(let piece), .refusal(let piece), .arguments(_, let piece):
      count(piece)
      begin(output)
    case .toolCall(_, let id, let name, let signature):
      otherByteCount += Int64(64 + id.count + name.count + signature.count)
      begin(output)
    case .vectors: begin(output)
    case .finish:
      hasFinished = true
      begin(output)
    }
    if passesBytes { return }
    if isStream {
      writer.write(event, to: hasContent ? output : pending)
    } else if !passes || form == .stream {
      if folded == nil { folded = ChatAnswer() }
      folded?.add(event)
    }
  }

  /// There is content: what was kept back goes out.
  private func begin(_ output: Buffer) {
    hasContent = true
    guard !pending.isEmpty else { return }
    output.append(contentsOf: pending)
    pending.release()
  }

  private func count(_ piece: ByteString) {
    var ascii = 0
    for byte in piece.bytes where byte < 0x80 { ascii += 1 }
    asciiByteCount += Int64(ascii)
    nonASCIIByteCount += Int64(piece.count - ascii)
  }
}
