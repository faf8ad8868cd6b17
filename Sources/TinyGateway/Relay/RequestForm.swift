// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// A request that is a form (`multipart/form-data`), such as a recording to be transcribed.
///
/// Its bytes go on as they came; only the value of the field `model` is replaced where a channel
/// calls the model by another name, and a model that the client left out is put before the rest.
///
/// A class, since it is large and nearly every request has none.
final class RequestForm {
  private enum Field: Int { case model, stream, count, format }

  private static let names: [StaticString] = ["model", "stream", "n", "response_format"]

  private var parser: MultipartParser
  private let boundary: ByteString
  /// What the upstream is to read as the model; nil when the form says it already.
  private var upstreamModel: ByteString?
  /// Whether the form names no model, so that `upstreamModel` goes before everything.
  private var isInserted = false
  /// Bytes of the form that have been copied.
  private var position: Int64 = 0

  /// Begins a form with the boundary of its `Content-Type`.
  init(boundary: ByteString) {
    parser = MultipartParser(boundary: boundary, watching: RequestForm.names)
    self.boundary = boundary
  }

  /// Checks the next bytes.
  func scan(_ bytes: Span<UInt8>) throws(RelayError) {
    do throws(MultipartError) {
      try parser.scan(bytes)
    } catch {
      throw RequestForm.refusal(error)
    }
  }

  /// The form is complete.
  func finish() throws(RelayError) {
    do throws(MultipartError) {
      try parser.finish()
    } catch {
      throw RequestForm.refusal(error)
    }
  }

  private static func refusal(_ error: MultipartError) -> RelayError {
    .invalidRequest("The form " + error.text + ".", code: "invalid_form")
  }

  /// The field `model`; nil until it is complete.
  var model: ByteString? { parser.value(Field.model.rawValue) }

  /// The field `stream`: whether events are wanted, as far as it has come.
  func isStream() throws(RelayError) -> Bool {
    guard let value = parser.value(Field.stream.rawValue) else { return false }
    // Python's clients write True.
    let word = value.lowercased
    if word == "true" || word == "1" { return true }
    if word == "false" || word == "0" || word.isEmpty { return false }
    throw .invalidRequest("The field stream must be true or false.", param: "stream")
  }

  /// The field `n`; nil until it is complete.
  var count: ByteString? { parser.value(Field.count.rawValue) }

  /// Whether the answer is to be plain text or subtitles.
  var wantsText: Bool {
    guard let format = parser.value(Field.format.rawValue) else { return false }
    return format == "text" || format == "srt" || format == "vtt"
  }

  /// Whether a file has begun.
  var hasFile: Bool { parser.fileCount > 0 }

  /// Tokens by the documented estimate: of the texts, and 1,000 for each file.
  var promptEstimate: Int64 {
    let text = Usage.estimate(
      asciiByteCount: parser.asciiTextByteCount, nonASCIIByteCount: parser.nonASCIITextByteCount)
    return text + parser.fileCount * Usage.tokensPerDataString
  }

  /// The header value that goes with the form.
  var contentType: ByteString {
    let isToken = boundary.bytes.allSatisfy {
      ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
    }
    return isToken
      ? "multipart/form-data; boundary=" + boundary
      : "multipart/form-data; boundary=\"" + boundary + "\""
  }

  /// Prepares the edits for one attempt.
  ///
  /// `model`: what the client calls the model, or, where it has not said so yet, will call it.
  /// - Returns: by how many bytes the form grows.
  func edit(model: ByteString, upstreamModel: ByteString) -> Int64 {
    position = 0
    isInserted = self.model == nil && parser.hasEnded
    self.upstreamModel = isInserted || !(model == upstreamModel) ? upstreamModel : nil
    if isInserted { return Int64(inserted.count) }
    return Int64(upstreamModel.count - model.count)
  }

  /// Whether the form goes on as it came.
  var isUnchanged: Bool { upstreamModel == nil }

  /// A part with the model, to stand before all others.
  private var inserted: ByteString {
    "--" + boundary + "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n"
      + (upstreamModel ?? .empty) + "\r\n"
  }

  /// Appends what becomes of the next bytes, which have been scanned.
  func splice(_ bytes: Span<UInt8>, to output: Buffer) {
    let start = position
    position += Int64(bytes.count)
    guard let upstreamModel else { return output.append(bytes) }
    if isInserted {
      if start == 0 { output.append(inserted) }
      return output.append(bytes)
    }
    let field = parser.field(Field.model.rawValue)
    let cut = field.valueOffset
    guard cut >= 0, cut < position else { return output.append(bytes) }
    if start < cut { output.append(bytes.extracting(0..<Int(cut - start))) }
    // The delimiter may have come in parts, so it is written anew.
    let end = field.endOffset
    guard end >= 0, end <= position else { return }
    guard end > start else { return output.append(bytes) }
    output.append(upstreamModel)
    output.append(parser.delimiter)
    output.append(bytes.extracting(Int(end - start)..<bytes.count))
  }
}
