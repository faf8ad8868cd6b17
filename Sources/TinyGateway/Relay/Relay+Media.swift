// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform

/// Forms, recordings and plain texts: what the calls beside chat do differently.
extension Relay {
  /// Prepares for a form where the call takes one.
  func expectForm(_ head: RequestHead) throws(RelayError) {
    guard mode.takesForm else { return }
    let boundary = head.range(of: .contentType).flatMap { range in
      head.withBytes(range) { MultipartParser.boundary(of: $0) }
    }
    guard let boundary, head.count(of: .contentType) == 1 else {
      if mode == .imageEdits, isJSON(head) { return }
      throw .invalidRequest(
        "This call takes a form: send the fields as multipart/form-data with a boundary.",
        code: "invalid_form")
    }
    body.expectForm(boundary: boundary)
    if let name = head.queryValue(of: "model"), ModelName.isValid(name) {
      body.assumedModel = name
    }
  }

  func isJSON(_ head: MessageHead) -> Bool {
    head.range(of: .contentType).map { range in
      head.withBytes(range) { type in
        type.count >= 16 && type.extracting(0..<16).equalsIgnoringCase("application/json")
      }
    } ?? false
  }

  /// The largest body of this request.
  var bodyLimit: Int64 {
    body.form == nil ? gateway.capacity.bodyByteCount : gateway.capacity.uploadByteCount
  }

  var bodyTooLarge: RelayError {
    let setting: ByteString = body.form == nil ? "body_limit_mb" : "upload_limit_mb"
    return .tooLarge(
      "The request body is larger than " + ByteString(number: bodyLimit)
        + " bytes, the limit here (" + setting + ").")
  }

  /// Whether the body goes on before its end: it is large, and its model is known or can be
  /// assumed.
  ///
  /// A form whose length is told in advance is not held at all once its model is known.
  var maySendEarly: Bool {
    let limit = gateway.capacity.bodyHeldByteCount
    guard body.form != nil else {
      return body.byteCount > limit && body.hasModel && !needsWholeBody
    }
    guard max(body.byteCount, declaredByteCount) > limit else { return false }
    if body.hasModel || !body.assumedModel.isEmpty { return true }
    guard mayAssumeModel, body.form?.hasFile ?? false, let caller else { return false }
    mayAssumeModel = false
    // A key that can be meant for one model only needs no field that says so.
    let models = ModelList.models(caller, gateway)
    if models.count == 1 { body.assumedModel = models[0] }
    return models.count == 1
  }

  /// Throws when a field behind a large file names another model than the one that was assumed.
  func checkLateModel() throws(RelayError) {
    guard body.form != nil, body.hasModel, try body.model() != model else { return }
    throw .invalidRequest(
      "The field model differs from the model for which the form was sent on, " + model
        + ": put the field model before the file.", param: "model")
  }

  /// Throws when a form that was sent on turns out to lack something, before the upstream has its
  /// end.
  func checkWholeForm() throws(RelayError) {
    guard body.hasModel else {
      throw .invalidRequest("The field model is missing.", param: "model")
    }
    try checkLateModel()
    if mode.isImages { try body.checkAnswerCount() }
  }

  static var bodyWithoutModel: RelayError {
    .tooLarge(
      """
      The request body is too large for this gateway's memory. Put the field model before \
      the messages, so that the body can be streamed through.
      """)
  }

  static var formTooLarge: RelayError {
    .tooLarge(
      """
      The form is too large to be held in this gateway's memory until its model is known. Put the \
      field model before the file, or name the model in the address as well: ?model=NAME.
      """)
  }

  /// Prompt tokens by the documented estimate; of speech, the characters to be spoken.
  var promptEstimate: Int64 {
    mode == .speech && spokenCharacters > 0 ? spokenCharacters : body.promptEstimate
  }

  /// Queues some of a body that goes on as it comes.
  func sendOn(_ bytes: Buffer, _ connection: ClientConnection) {
    if passedByteCount == nil {
      MessageWriter.appendChunk(bytes.readable, to: connection.outgoing)
    } else {
      connection.outgoing.append(contentsOf: bytes)
    }
  }

  // The answer.

  /// Whether an answer with this head is passed on without being looked at.
  func isPassage(_ head: ResponseHead) -> Bool { mode.hasPassage && !isJSON(head) }

  /// Takes over an answer that is neither JSON nor events.
  func beginPassage(_ head: ResponseHead) {
    guard responder.isWaiting else { return giveUpAnswer("the upstream does not stream") }
    guard
      let passage = AnswerPassage(
        head, isText: mode.isTranscript, takesPages: body.form?.wantsText ?? false)
    else {
      return giveUpAnswer("the upstream's answer is of a type that is not passed on")
    }
    answer = .passage(passage)
  }

  func receive(_ bytes: Span<UInt8>, _ passage: AnswerPassage) {
    guard !bytes.isEmpty else { return }
    startPassage(passage)
    passage.count(bytes)
    responder.write(bytes.rawBuffer)
  }

  private func startPassage(_ passage: AnswerPassage) {
    guard responder.isWaiting else { return }
    responder.begin(.ok, length: passage.length) { fields in
      passage.appendType(to: fields)
      appendAnswerHeaders(to: fields)
    }
    _ = state.answerBegan()
    body.release()
  }

  func end(_ passage: AnswerPassage) {
    if passage.isEmpty, mode == .speech {
      return attemptFailed(.badAnswer, "the upstream answered nothing")
    }
    // A recording without a word has an empty text.
    startPassage(passage)
    responder.end()
    endAttempt(.none, .empty, .answered)
    perform(state.answerEnded())
  }

  /// Makes base64 of the vectors where the client asked for it and the upstream did not care.
  ///
  /// - Returns: the bytes to be sent in the place of those that came; nil when they go unchanged.
  func encoded(_ bytes: Span<UInt8>) -> Buffer? {
    guard embeddingEncoder != nil else { return nil }
    let output = gateway.relayOutput
    output.clear()
    embeddingEncoder?.read(bytes, to: output)
    return output
  }
}
