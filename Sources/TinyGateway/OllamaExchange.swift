// SPDX-License-Identifier: MIT
import MiniHTTP
import MiniJSON
import Platform
import Vendors

/// What clients of Ollama ask about its models: `/api/tags`, `/api/ps`, `/api/show` and
/// `/api/version`.
///
/// A model is what the caller may use by that name; there are no files, so sizes are 0 and a digest
/// is that of the name.
/// Source: https://docs.ollama.com/api, read 2026-11.
final class OllamaExchange: Exchange {
  enum Call: CaseIterable {
    case tags, running, show, version

    var path: StaticString {
      switch self {
      case .tags: "/api/tags"
      case .running: "/api/ps"
      case .show: "/api/show"
      case .version: "/api/version"
      }
    }

    /// The call of a path; nil for another one.
    init?(_ head: RequestHead) {
      for call in Call.allCases where head.isPath(call.path) {
        self = call
        return
      }
      return nil
    }
  }

  /// Ollama's version whose API is spoken: clients ask whether it is new enough.
  static let version: StaticString = "0.13.0"
  private static let bodyByteLimit = 4096

  private let call: Call
  private let isReading: Bool
  private let isPost: Bool
  private let caller: Result<Caller, RelayError>
  private let responder: Responder
  private let gateway: Gateway
  private let body = Buffer()

  /// Takes a request over; `head` is not kept.
  init(_ call: Call, _ head: RequestHead, _ responder: Responder, _ gateway: Gateway) {
    self.call = call
    self.responder = responder
    self.gateway = gateway
    isReading = head.method == .get || head.method == .head
    isPost = head.method == .post
    do throws(RelayError) {
      caller = .success(try Authenticator.authenticate(head, gateway))
    } catch {
      caller = .failure(error)
    }
  }

  var acceptsBody: Bool { true }
  func outputDrained() {}
  func cancelled() {}

  func received(_ bytes: Span<UInt8>) {
    // A longer body is no name of a model; it is read and not kept.
    if body.count <= OllamaExchange.bodyByteLimit { body.append(bytes) }
  }

  func bodyEnded() {
    let requestID = gateway.makeRequestID()
    do throws(RelayError) {
      try answer(requestID)
    } catch {
      error.answer(responder, requestID: requestID, dialect: .ollamaChat)
    }
  }

  private func answer(_ requestID: Int64) throws(RelayError) {
    guard call == .show ? isPost : isReading else {
      throw .methodNotAllowed(call == .show ? "POST" : "GET, HEAD")
    }
    let caller = try caller.get()
    let output = Buffer()
    var json = JSONWriter(output)
    json.beginObject()
    switch call {
    case .version: json.member("version", OllamaExchange.version)
    case .tags, .running:
      json.key("models")
      json.beginArray()
      if call == .tags {
        for name in ModelList.models(caller, gateway) { write(name, &json) }
      }
      json.endArray()
    case .show: try writeDetails(of: ModelList.served(try wantedModel(), caller, gateway), &json)
    }
    json.endObject()
    responder.respond(json: output, requestID: requestID)
  }

  /// The model that the body names, under its new name or its old one.
  private func wantedModel() throws(RelayError) -> ByteString {
    do throws(JSONError) {
      let root = try JSONDocument(body, requiresObject: true).root
      if let name = (root.member("model") ?? root.member("name"))?.string { return name }
    } catch {
      throw .invalidRequest("The request body is " + error.message + ".", code: "invalid_json")
    }
    throw .invalidRequest("The field model is missing.", param: "model")
  }

  private var startTime: ByteString { UnixTime.timestamp(gateway.startedAt) }

  private func write(_ name: ByteString, _ json: inout JSONWriter) {
    json.beginObject()
    json.member("name", name)
    json.member("model", name)
    json.member("modified_at", startTime)
    json.member("size", Int64(0))
    json.member("digest", Digest.sha256(name).hex)
    writeFamily(of: name, &json)
    json.endObject()
  }

  private func writeDetails(of name: ByteString, _ json: inout JSONWriter) {
    json.member("modified_at", startTime)
    writeFamily(of: name, &json)
    json.key("model_info")
    json.beginObject()
    json.member("general.architecture", ModelList.owner(of: name, gateway))
    json.endObject()
    // What the gateway can carry to any vendor; whether the model can do it, only the vendor knows.
    json.key("capabilities")
    json.beginArray()
    json.string("completion")
    json.string("tools")
    json.endArray()
  }

  private func writeFamily(of name: ByteString, _ json: inout JSONWriter) {
    let owner = ModelList.owner(of: name, gateway)
    json.key("details")
    json.beginObject()
    json.member("format", "" as StaticString)
    json.member("family", owner)
    json.strings("families", [owner])
    json.member("parameter_size", "" as StaticString)
    json.member("quantization_level", "" as StaticString)
    json.endObject()
  }
}
