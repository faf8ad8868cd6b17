// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Which other models serve when a model cannot, as the owner wishes.
///
/// One JSON text, `{"fallbacks":{model:[model]},"offline":{model:model}}`, in the option
/// `optionName`. All names are public ones; that a channel serves them is not required.
struct ModelFallbacks {
  /// Where the text is stored.
  static let optionName: ByteString = "model_fallbacks"
  /// Stands for every model without an entry of its own, in `offline` only.
  static let anyModel: ByteString = "*"

  private static let largestEntryCount = 1000
  private static let largestFallbackCount = 16

  /// Model to those that are tried in this order when every channel of it has failed, or when
  /// its context window is too small.
  private(set) var fallbacks: [ByteString: [ByteString]] = [:]
  /// Model, or `*`, to the model of a local channel that serves while the internet is gone.
  private(set) var offline: [ByteString: ByteString] = [:]

  /// Makes an empty table.
  init() {}

  /// Reads the stored text.
  ///
  /// Throws what is wrong with it.
  init(_ text: ByteString) throws(FieldError) {
    let document: JSONDocument
    do throws(JSONError) {
      document = try JSONDocument(text)
    } catch {
      throw FieldError("model_fallbacks", "is " + error.message)
    }
    try replace(
      fallbacks: document.root.member("fallbacks"), offline: document.root.member("offline"))
  }

  /// Takes JSON objects over; a part that is nil stays.
  ///
  /// Throws what is wrong with them, and then nothing has changed.
  mutating func replace(fallbacks: JSONValue?, offline: JSONValue?) throws(FieldError) {
    let newFallbacks = try fallbacks.map(ModelFallbacks.fallbacks)
    let newOffline = try offline.map(ModelFallbacks.offline)
    self.fallbacks = newFallbacks ?? self.fallbacks
    self.offline = newOffline ?? self.offline
  }

  /// The models to try instead, in order.
  func fallbacks(for model: ByteString) -> [ByteString] {
    fallbacks.isEmpty ? [] : fallbacks[model] ?? []
  }

  /// The model to use while the internet is gone; nil when there is none, or when it is this one.
  func offlineModel(for model: ByteString) -> ByteString? {
    guard !offline.isEmpty, let found = offline[model] ?? offline[ModelFallbacks.anyModel],
      found != model
    else { return nil }
    return found
  }

  // Reading.

  /// Reads `{model:[model]}`.
  private static func fallbacks(
    _ value: JSONValue
  ) throws(FieldError) -> [ByteString: [ByteString]] {
    try check(value, "fallbacks")
    var table: [ByteString: [ByteString]] = [:]
    for (model, value) in value.members {
      guard ModelName.isValid(model), table[model] == nil, value.kind == .array else {
        throw FieldError(
          "fallbacks", "must map model names, each once, to lists of model names")
      }
      var others: [ByteString] = []
      for element in value.elements {
        guard let other = element.string, ModelName.isValid(other), other != model,
          !others.contains(other), others.count < largestFallbackCount
        else {
          throw FieldError(
            "fallbacks",
            "must list at most 16 different other models for " + ByteString(quoting: model))
        }
        others.append(other)
      }
      table[model] = others
    }
    return table
  }

  /// Reads `{model:model}`.
  private static func offline(_ value: JSONValue) throws(FieldError) -> [ByteString: ByteString] {
    try check(value, "offline")
    var table: [ByteString: ByteString] = [:]
    for (model, value) in value.members {
      guard model == anyModel || ModelName.isValid(model), table[model] == nil,
        let other = value.string, ModelName.isValid(other), other != model
      else {
        throw FieldError(
          "offline", "must map model names or *, each once, to another model's name")
      }
      table[model] = other
    }
    return table
  }

  private static func check(
    _ value: JSONValue, _ field: StaticString
  ) throws(FieldError) {
    guard value.kind == .object, value.count <= largestEntryCount else {
      throw FieldError(field, "must be an object of at most 1000 members")
    }
  }

  // Writing.

  /// Writes the whole table as one object, its entries by name.
  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.key("fallbacks")
    json.beginObject()
    for model in ByteString.sorted(Array(fallbacks.keys)) {
      json.key(model)
      json.beginArray()
      for other in fallbacks(for: model) { json.string(other) }
      json.endArray()
    }
    json.endObject()
    json.key("offline")
    json.beginObject()
    for model in ByteString.sorted(Array(offline.keys)) {
      guard let other = offline[model] else { continue }
      json.key(model)
      json.string(other)
    }
    json.endObject()
    json.endObject()
  }

  /// The text to store.
  var text: ByteString {
    let buffer = Buffer()
    var json = JSONWriter(buffer)
    write(to: &json)
    return buffer.byteString
  }
}
