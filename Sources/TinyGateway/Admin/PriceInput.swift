// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

/// Turns the bodies of price requests into records.
enum PriceInput {
  static let fields: [StaticString] = [
    "model", "prompt", "completion", "cached", "image", "audio_prompt", "audio_completion",
  ]
  private static let modelByteCounts = 1...128
  /// Units for a token or an image; the largest `Ratio`.
  private static let largestPrice: Int64 = 1_000_000

  /// The record with the body's members put over it.
  ///
  /// Throws a 400 that names field and limit.
  static func apply(_ body: AdminBody, to old: PriceRecord?) throws(AdminError) -> PriceRecord {
    let model = try body.text("model", modelByteCounts) ?? old?.model ?? .empty
    if model.isEmpty { throw .field("model", "is missing") }
    guard isPattern(model) else {
      throw .field(
        "model", "must be 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + - and * for any text")
    }
    let prompt = try body.ratio("prompt", upTo: largestPrice) ?? old?.prompt
    guard let prompt else { throw .field("prompt", "is missing") }
    return PriceRecord(
      id: old?.id ?? 0, model: model, prompt: prompt,
      completion: try optional("completion", body, old?.completion),
      cached: try optional("cached", body, old?.cached),
      image: try optional("image", body, old?.image),
      audioPrompt: try optional("audio_prompt", body, old?.audioPrompt),
      audioCompletion: try optional("audio_completion", body, old?.audioCompletion),
      createdAt: old?.createdAt ?? UnixTime.seconds)
  }

  private static func optional(
    _ field: StaticString, _ body: AdminBody, _ old: Ratio?
  ) throws(AdminError) -> Ratio? {
    if body.isNull(field) { return nil }
    return try body.ratio(field, upTo: largestPrice) ?? old
  }

  /// Whether a price may be for this: a model's name, with `*` anywhere.
  static func isPattern(_ text: ByteString) -> Bool {
    guard text.count <= modelByteCounts.upperBound else { return false }
    let rest = ByteString(text.bytes.filter { $0 != Prices.wildcard })
    return rest.isEmpty ? !text.isEmpty : ModelName.isValid(rest)
  }

  /// The entries of an import, each for a model of its own.
  ///
  /// Throws a 400 that names the first wrong entry by its number, from 1, and its model.
  static func list(_ value: JSONValue) throws(AdminError) -> [PriceRecord] {
    guard value.kind == .array, value.count <= Prices.largestCount else {
      throw .field(
        "prices",
        "must be a list of at most " + ByteString(number: Int64(Prices.largestCount)) + " prices")
    }
    var records: [PriceRecord] = []
    var models: Set<ByteString> = []
    for entry in value.elements {
      do throws(AdminError) {
        let record = try apply(try AdminBody(entry, knowing: fields), to: nil)
        guard models.insert(record.model).inserted else {
          throw .field("model", "is in the list twice")
        }
        records.append(record)
      } catch {
        let name = entry.member("model")?.string.map { " (" + AdminText.quoted($0) + ")" } ?? ""
        throw AdminError(
          error.status, error.code,
          "prices entry " + ByteString(number: Int64(records.count + 1)) + name + ": "
            + error.message)
      }
    }
    return records
  }
}
