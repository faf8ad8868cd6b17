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
  /// Whether the client's format is the vendor's.
  private let passes: Bool
  private let isStream: Bool
  private var form = Form.undecided
  /// A whole answer so far.
  private let held = Buffer()
  /// What the client gets once there is content.
  private let pending = Buffer()
  private var streamEvents: [StreamEvent] = []
  private var chatEvents: [ChatEvent] = []
  private var folded: ChatAnswer?
  /// Bytes of generated text, for the estimate.
  private var asciiByteCount: Int64 = 0
  private var nonASCIIByteCount: Int64 = 0
  /// An event is no document, though it begins as one.
  private var isBroken = false
  /// The last bytes that were passed on end an event.
  private(set) var isBetweenEvents = true

  /// Anything but the beginning has come, so that the answer is the client's.
  private(set) var hasContent = false
  /// The vendor has said why the answer ends.
  private(set) var hasFinished = false
  /// The vendor reported an error in place of the answer, or of its rest.
  private(set) var failure: ErrorAnswer?
  private(set) var usage: ChatUsage?
  /// Where the answer is to be had instead.
  private(set) var following: (url: ByteString, pauseMilliseconds: Int64)?

  /// Makes a passage; `passes`: the client gets the vendor's bytes; `isStream`: it wants a stream.
  init(
    framing: StreamFraming, errors: ErrorFormat, decoder: any ChatDecoder,
    writer: any ChatWriter, passes: Bool, isStream: Bool
  ) {
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
    decode(to: output)
    if isBroken { return false }
    if passesBytes {
      let target = hasContent ? output : pending
      if !held.isEmpty {
        target.append(contentsOf: held)
        held.release()
      }
      target.append(bytes)
      isBetweenEvents = ChatPassage.endsEvent(target, isBetweenEvents)
    }
    if pending.count > ChatPassage.pendingByteLimit { begin(output) }
    return isSound
  }

  /// Whether the client sees the bytes that come.
  private var passesBytes: Bool { passes && isStream && form == .stream }

  /// The answer has ended as its transport wants it; appends the rest.
  func end(to output: Buffer) -> Ending {
    var isReadable = true
    switch form {
    case .undecided: isReadable = false
    case .stream:
      _ = framer.end(into: &streamEvents)
      decode(to: output)
      decoder.end(into: &chatEvents)
      takeEvents(to: output)
    case .whole: isReadable = readWhole(to: output)
    }
    guard failure == nil, following == nil else { return .complete }
    guard isReadable else { return .unreadable }
    guard hasFinished, !isBroken else { return form == .whole ? .unreadable : .cut }
    if isStream {
      begin(output)
      if !passesBytes { writer.end(to: output) }
    } else if passes, form == .whole {
      output.append(contentsOf: held)
    } else {
      writer.write(answer: folded ?? ChatAnswer(), to: output)
    }
    return .complete
  }

  /// Appends an error to a stream that cannot go on, in the client's format.
  func fail(_ error: ClientError, to output: Buffer) {
    // The vendor's own event has told it already.
    if passesBytes, failure != nil { return }
    writer.fail(error, to: output)
  }

  /// What was produced, from the amount of text.
  var completionEstimate: Int64 {
    Usage.estimate(asciiByteCount: asciiByteCount, nonASCIIByteCount: nonASCIIByteCount)
  }

  private func readWhole(to output: Buffer) -> Bool {
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(held).root
    } catch {
      return false
    }
    decoder.read(answer: root, into: &chatEvents)
    decoder.end(into: &chatEvents)
    takeEvents(to: output)
    if !hasFinished, failure == nil, following == nil {
      let said = ErrorAnswer(status: 200, answer: root, format: errors)
      if !said.code.isEmpty || !said.message.isEmpty { failure = said }
    }
    return true
  }

  private func decode(to output: Buffer) {
    for event in streamEvents where !isBroken {
      let count = chatEvents.count
      decoder.read(event, into: &chatEvents)
      // Half a document: content is lost, whatever comes behind it.
      isBroken = chatEvents.count == count && event.data.starts(with: "{") && event.json == nil
    }
    streamEvents.removeAll(keepingCapacity: true)
    takeEvents(to: output)
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
    case .start, .reasoningSignature: break
    case .usage(let usage): self.usage = usage
    case .text(let piece), .reasoning(let piece), .refusal(let piece), .arguments(_, let piece):
      count(piece)
      begin(output)
    case .toolCall: begin(output)
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

  /// Whether the bytes end with an empty line; as before when there are none.
  private static func endsEvent(_ bytes: Buffer, _ before: Bool) -> Bool {
    bytes.withReadable { span in
      guard let last = span.indices.last else { return before }
      guard span[last] == 0x0A || span[last] == 0x0D else { return false }
      guard last > 0 else { return before }
      let isPair = span[last] == 0x0A && span[last - 1] == 0x0D
      let other = isPair ? last - 2 : last - 1
      return other >= 0 && (span[other] == 0x0A || span[other] == 0x0D)
    }
  }
}

extension Usage {
  /// The counts of a dialect, brought into range.
  init(_ usage: ChatUsage) {
    func clamped(_ count: Int64) -> Int64 { max(0, min(count, Usage.largestCount)) }
    promptTokens = clamped(usage.prompt)
    completionTokens = clamped(usage.completion)
    cachedTokens = min(clamped(usage.cached), promptTokens)
    isReported = true
  }
}
