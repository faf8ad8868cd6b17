// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// The client's body: checked as it arrives, held for retries, sent on with few bytes changed.
///
/// Held whole up to a bound; a larger one streams through once its model is known, with the same
/// edits made on the fly.
final class RequestBody {
  /// Members that are noted, in the order of `names`.
  enum Field: Int, CaseIterable {
    case model, stream, streamOptions, maxTokens, maxCompletionTokens, maxOutputTokens, count,
      bestOf
    case encodingFormat, streamFormat, input
  }

  private static let names: [StaticString] = [
    "model", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "max_output_tokens", "n", "best_of",
    "encoding_format", "stream_format", "input",
  ]

  /// Memory of a body that is always kept for the next one.
  static let usualByteCount = 4096

  /// Where the noted members lie.
  let scanner: JSONScanner
  /// Of a request that is a form and no JSON.
  private(set) var form: RequestForm?
  /// The model of the body before this one, which is mostly that of this one as well.
  private var latestModel = ByteString.empty
  /// What the model is taken for as long as the body names none; empty for nothing.
  var assumedModel = ByteString.empty
  /// By how many bytes the edits of this attempt lengthen a form.
  private(set) var growth: Int64 = 0
  private var splice = JSONSplice()
  /// The bytes so far; given away when the body streams.
  private(set) var held = Buffer()
  private(set) var byteCount: Int64 = 0
  /// Whether the gateway asked for usage and the client did not.
  private(set) var hidesUsage = false
  /// The body streams through, and usage is to be asked for once its end is seen.
  private var mustAskUsage = false

  init() {
    scanner = JSONScanner(
      watching: RequestBody.names, requiresObject: true, refusesDuplicates: true)
  }

  /// The body to come is a form with this boundary.
  func expectForm(boundary: ByteString) { form = RequestForm(boundary: boundary) }

  /// Checks the next bytes and holds them.
  func append(_ bytes: Span<UInt8>) throws(RelayError) {
    try scan(bytes)
    held.append(bytes)
  }

  /// Checks the next bytes of a body that streams and appends their edited form.
  func pass(_ bytes: Span<UInt8>, to output: Buffer) throws(RelayError) {
    try scan(bytes)
    if form != nil {
      form?.splice(bytes, to: output)
      return
    }
    if mustAskUsage { try askUsageWhenKnown() }
    splice.apply(bytes, to: output)
  }

  /// Empties the body for the next request.
  ///
  /// By now the upstream has taken every byte, or its connection is closed and sends no more, so
  /// the memory may be written again.
  ///
  /// `keepsMemory`: whether the next request may reuse a large buffer; otherwise only
  /// one of usual size is kept.
  func reset(keepsMemory: Bool) {
    scanner.reset()
    splice.reset()
    form = nil
    assumedModel = .empty
    if keepsMemory || held.reservedByteCount <= RequestBody.usualByteCount {
      held.clear()
    } else {
      held = Buffer()
    }
    byteCount = 0
    hidesUsage = false
    mustAskUsage = false
  }

  /// Lets go of a large body whose answer streams: no further attempt will be made, and the
  /// connection that still sends it keeps it alive.
  func release() {
    if held.reservedByteCount > RequestBody.usualByteCount { held = Buffer() }
  }

  /// Bytes of memory held.
  var reservedByteCount: Int { held.reservedByteCount }

  private func scan(_ bytes: Span<UInt8>) throws(RelayError) {
    byteCount += Int64(bytes.count)
    guard form == nil else {
      try form?.scan(bytes)
      return
    }
    do throws(JSONError) {
      try scanner.scan(bytes)
    } catch {
      throw RequestBody.refusal(error)
    }
  }

  /// The body is complete.
  func finish() throws(RelayError) {
    if let form { return try form.finish() }
    do throws(JSONError) {
      try scanner.finish()
    } catch {
      throw RequestBody.refusal(error)
    }
  }

  private static func refusal(_ error: JSONError) -> RelayError {
    .invalidRequest("The request body is " + error.message + ".", code: "invalid_json")
  }

  /// Whether the model has been seen.
  var hasModel: Bool {
    if let form { return form.model != nil }
    return scanner.member(Field.model.rawValue)?.range != nil
  }

  /// The model asked for.
  func model() throws(RelayError) -> ByteString {
    let member = scanner.member(Field.model.rawValue)
    if form?.model == nil, member == nil {
      if !assumedModel.isEmpty { return assumedModel }
      throw .invalidRequest("The field model is missing.", param: "model")
    }
    if form == nil, !latestModel.isEmpty, scanner.isPlain(Field.model.rawValue, latestModel) {
      return latestModel
    }
    guard form != nil || member?.kind == .string,
      let name = form?.model ?? scanner.string(Field.model.rawValue), ModelName.isValid(name)
    else {
      throw .invalidRequest(
        "The field model must be a name of 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + -.",
        param: "model")
    }
    if form == nil { latestModel = name }
    return name
  }

  /// Whether a stream is wanted; only `true`, `false` and `null` are allowed.
  ///
  /// `standard`: what it means when the body does not say it.
  func isStream(unlessSaid standard: Bool = false) throws(RelayError) -> Bool {
    if let form { return try form.isStream() }
    guard let member = scanner.member(Field.stream.rawValue) else { return standard }
    switch member.kind {
    case .true: return true
    case .false, .null: return false
    case .object, .array, .string, .number:
      throw .invalidRequest("The field stream must be true or false.", param: "stream")
    }
  }

  /// Prepares the edits for one attempt; `edited` or `pass` make them.
  ///
  /// `asksUsage`: the answer is a stream whose usage must be reported.
  /// `isPassing`: the body streams through and its end may not have come.
  /// `channel`: whose vendor's row may ask for further edits of bodies that are held.
  func edit(
    model: ByteString, upstreamModel: ByteString, asksUsage: Bool, isPassing: Bool,
    channel: Channel? = nil
  ) throws(RelayError) {
    splice.reset()
    hidesUsage = false
    if let form {
      growth = form.edit(model: model, upstreamModel: upstreamModel)
      return
    }
    var asksUsage = asksUsage
    if let channel, channel.vendor.editsRequests {
      asksUsage = asksUsage && channel.vendor.takesStreamOptions
      if !isPassing {
        let isStream = try isStream()
        RequestQuirks.edit(
          held.readable, for: channel.vendor, model: upstreamModel, isStream: isStream, &splice)
      }
    }
    if let member = scanner.member(Field.model.rawValue) {
      if model != upstreamModel { _ = splice.replaceModel(upstreamModel, member) }
    } else {
      _ = splice.insertMember("model", JSONString.lexeme(upstreamModel), scanner)
    }
    if isPassing {
      mustAskUsage = asksUsage
      if mustAskUsage { try askUsageWhenKnown() }
    } else if asksUsage, !askUsage() {
      throw .invalidRequest("The field stream_options must be an object.", param: "stream_options")
    }
  }

  /// Prepares a body of another format than OpenAI's: only its model changes.
  func rename(_ model: ByteString?) {
    splice.reset()
    hidesUsage = false
    guard let model, let member = scanner.member(Field.model.rawValue) else { return }
    _ = splice.replaceModel(model, member)
  }

  /// Asks for usage in a body that streams through, as soon as it is known where: in the client's
  /// `stream_options`, or at the end of the object.
  private func askUsageWhenKnown() throws(RelayError) {
    let hasEnded = scanner.closingBraceOffset != nil
    let hasOptions = scanner.member(Field.streamOptions.rawValue)?.range != nil
    let isStream = try isStream()
    guard hasEnded || hasOptions && isStream else { return }
    mustAskUsage = false
    if isStream { askUsage() }
  }

  /// Adds the edit that asks for usage; false when `stream_options` cannot hold it.
  @discardableResult
  private func askUsage() -> Bool {
    switch splice.includeUsage(scanner, streamOptions: Field.streamOptions.rawValue) {
    case .alreadyIncluded: return true
    case .added:
      hidesUsage = true
      return true
    case .unusable: return false
    }
  }

  /// The held bytes with the edits made; the very same buffer when there are none.
  func edited() -> Buffer {
    if form?.isUnchanged ?? splice.isEmpty { return held }
    let output = Buffer()
    output.reserve(held.count + 256)
    applyEdits(to: output)
    if form == nil { splice.finish(to: output) }
    return output
  }

  /// Begins to stream: appends the edited form of what is held and lets go of it.
  func startPassing(to output: Buffer) {
    applyEdits(to: output)
    held = Buffer()
  }

  private func applyEdits(to output: Buffer) {
    held.withReadable { form == nil ? splice.apply($0, to: output) : form?.splice($0, to: output) }
  }

  /// Ends a streamed body: edits at its very end.
  func finishPassing(to output: Buffer) { splice.finish(to: output) }
}
