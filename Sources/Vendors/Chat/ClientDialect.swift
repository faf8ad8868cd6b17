// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// A chat protocol of clients: how their requests are read and their answers written.
package final class ClientDialect: Sendable {
  package let name: StaticString
  /// Name of the vendors' dialect whose requests and answers are the same, so that they are passed
  /// on; empty when there is none.
  package let passes: StaticString
  /// Header fields of requests that go on to a vendor of the dialect `passes`.
  package let passedFields: [StaticString]
  /// Names of fields in the client's words, for sentences; what is missing has OpenAI's name.
  package let fieldNames: [(field: ChatFields, name: StaticString)]
  /// Reads a request's body.
  ///
  /// `model` and `isStream` come from the path where the protocol has them there: the caller sets
  /// them afterwards.
  package let read: @Sendable (JSONValue) throws(ChatProblem) -> ChatRequest
  /// Makes a writer of one answer.
  package let makeWriter: @Sendable (AnswerFacts) -> any ChatWriter
  /// Appends an error as a whole answer.
  package let writeError: @Sendable (ClientError, Buffer) -> Void

  /// Makes a dialect.
  package init(
    name: StaticString, passes: StaticString,
    fieldNames: [(field: ChatFields, name: StaticString)],
    read: @escaping @Sendable (JSONValue) throws(ChatProblem) -> ChatRequest,
    makeWriter: @escaping @Sendable (AnswerFacts) -> any ChatWriter,
    writeError: @escaping @Sendable (ClientError, Buffer) -> Void,
    passedFields: [StaticString] = []
  ) {
    self.name = name
    self.passedFields = passedFields
    self.passes = passes
    self.fieldNames = fieldNames
    self.read = read
    self.makeWriter = makeWriter
    self.writeError = writeError
  }
}

/// Writes one answer for a client, as a stream or whole.
package protocol ChatWriter: AnyObject {
  /// Of the stream's body, such as `text/event-stream`.
  var streamType: StaticString { get }
  /// Appends what one event means for a stream; may be nothing.
  func write(_ event: ChatEvent, to output: Buffer)
  /// Appends the end of a complete stream.
  func end(to output: Buffer)
  /// Events of the vendor's were passed on in place of this writer's; at most `fail` follows.
  func passed(_ eventCount: Int64)
  /// Appends an error in the midst of a stream: what follows is the end of the connection's body,
  /// never the mark of a clean end.
  func fail(_ error: ClientError, to output: Buffer)
  /// Appends a whole answer.
  func write(answer: ChatAnswer, to output: Buffer)
}

extension ChatWriter {
  package func passed(_ eventCount: Int64) {}
}

/// What a writer of answers is told.
package struct AnswerFacts {
  /// The name that the client asked for.
  package var model = ByteString.empty
  /// Unix seconds, for answers without a time of their own.
  package var now: Int64 = 0
  /// Makes ids: letters and digits that are unique to this answer.
  package var idStem = ByteString.empty
  package var includesUsage = false
  /// What was asked, for protocols whose answers repeat it.
  package var request: ChatRequest?
  /// Prompt tokens by estimate, for protocols that tell them at the start of a stream.
  package var promptEstimate: Int64 = 0

  /// Makes facts of nothing.
  package init() {}
}

/// An error as a client is to see it, before a dialect gives it its form.
package struct ClientError {
  package var status: Int
  /// OpenAI's error type.
  package var type: StaticString
  package var code: ByteString
  package var message: ByteString
  /// The field that is wrong; empty for none.
  package var field = ByteString.empty

  /// Makes an error.
  package init(_ status: Int, _ type: StaticString, _ code: ByteString, _ message: ByteString) {
    self.status = status
    self.type = type
    self.code = code
    self.message = message
  }
}

/// Ids for answers and tool calls that have none.
package struct IDSource {
  private let stem: ByteString
  private var callCount: Int64 = 0

  /// - Parameter stem: letters and digits, unique to the answer.
  package init(_ stem: ByteString) { self.stem = stem }

  /// The answer's own id: stem and `0001`.
  package var answerID: ByteString { stem + "0001" }

  /// The next tool call's: `call_`, stem and a running number.
  package mutating func nextCallID() -> ByteString {
    callCount += 1
    let digits = ByteString(number: callCount)
    let zeros = ByteString("0000").bytes.dropFirst(min(4, digits.count))
    return "call_" + stem + ByteString(Array(zeros)) + digits
  }
}
