// SPDX-License-Identifier: MIT
import CSQLite
import Platform

/// One prepared statement: values are bound and columns are read from left to right.
///
/// Prepared once and kept by its `Database`; finalizes itself. A failed bind is reported by the
/// next step.
package final class Statement {
  private let raw: OpaquePointer
  private let parameterCount: Int32
  private var boundCount: Int32 = 0
  private var bindFailure = Int32(CS_OK)
  private var column: Int32 = 0

  /// Takes over a statement of the C side.
  init(owning raw: OpaquePointer) {
    self.raw = raw
    parameterCount = cs_parameter_count(raw)
  }

  deinit { cs_finalize(raw) }

  /// Binds the next parameter to an integer.
  @discardableResult
  package func bind(_ value: Int64) -> Statement {
    note(cs_bind_int64(raw, nextParameter(), value))
  }

  /// Binds the next parameter to an integer, or to NULL.
  @discardableResult
  package func bind(_ value: Int64?) -> Statement {
    guard let value else { return note(cs_bind_null(raw, nextParameter())) }
    return bind(value)
  }

  /// Binds the next parameter to 1 or 0.
  @discardableResult
  package func bind(_ value: Bool) -> Statement { bind(value ? 1 : 0 as Int64) }

  /// Binds the next parameter to a copy of the text.
  @discardableResult
  package func bind(text: ByteString) -> Statement {
    let index = nextParameter()
    return note(text.withBytes { cs_bind_text(raw, index, $0.baseAddress, $0.count) })
  }

  /// Binds the next parameter to a copy of the bytes.
  @discardableResult
  package func bind(blob: ByteString) -> Statement {
    blob.withBytes { bind(blob: $0) }
  }

  /// Binds the next parameter to a copy of the bytes.
  @discardableResult
  package func bind(blob bytes: UnsafeRawBufferPointer) -> Statement {
    note(cs_bind_blob(raw, nextParameter(), bytes.baseAddress, bytes.count))
  }

  /// Binds all parameters to the columns of another statement's row, with their types.
  func bind(rowOf source: Statement) {
    for column in 0..<parameterCount {
      _ = note(cs_bind_column(raw, nextParameter(), source.raw, column))
    }
  }

  /// Reads the next column as an integer, 0 for NULL.
  package func integer() -> Int64 { cs_column_int64(raw, nextColumn()) }

  /// Reads the next column as an integer; nil for NULL.
  package func optionalInteger() -> Int64? {
    let index = nextColumn()
    return cs_is_null(raw, index) != 0 ? nil : cs_column_int64(raw, index)
  }

  /// Reads the next column as an integer, brought into a range: a damaged file holds any number.
  package func integer(in range: ClosedRange<Int64>) -> Int64 {
    min(max(integer(), range.lowerBound), range.upperBound)
  }

  /// Reads the next column like that; nil for NULL.
  package func optionalInteger(in range: ClosedRange<Int64>) -> Int64? {
    optionalInteger().map { min(max($0, range.lowerBound), range.upperBound) }
  }

  /// Reads the next column as a yes or no.
  package func boolean() -> Bool { integer() != 0 }

  /// Reads a copy of the next column's text or blob; empty for NULL.
  package func bytes() -> ByteString { withBytes { ByteString($0) } }

  /// Calls `body` with the next column's bytes, which are gone afterwards.
  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    var count: Int64 = 0
    let start = cs_column_bytes(raw, nextColumn(), &count)
    return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count)))
  }

  /// The number of the column with the name; nil when there is none.
  func column(_ name: StaticString) -> Int32? {
    (0..<cs_column_count(raw)).first { index in
      guard let text = cs_column_name(raw, index) else { return false }
      let count = name.utf8CodeUnitCount
      for offset in 0..<count where UInt8(bitPattern: text[offset]) != name.utf8Start[offset] {
        return false
      }
      return text[count] == 0
    }
  }

  /// Lets the next reading start at a column, counted from 0.
  func seek(_ column: Int32) -> Statement {
    self.column = column
    return self
  }

  /// Whether the next column holds NULL, and whether a whole number.
  var isNull: Bool { cs_is_null(raw, column) != 0 }
  var isInteger: Bool { cs_is_integer(raw, column) != 0 }

  /// Advances to the next row: `CS_ROW`, `CS_DONE`, or SQLite's code of a failure.
  func step() -> Int32 {
    precondition(boundCount == parameterCount, "each parameter is bound once")
    column = 0
    return bindFailure == CS_OK ? cs_step(raw) : bindFailure
  }

  /// Ends the run, so that no read transaction stays open.
  func reset() {
    cs_reset(raw)
    boundCount = 0
    bindFailure = Int32(CS_OK)
  }

  private func nextParameter() -> Int32 {
    boundCount += 1
    return boundCount
  }

  private func nextColumn() -> Int32 {
    column += 1
    return column - 1
  }

  private func note(_ result: Int32) -> Statement {
    if result != CS_OK && bindFailure == CS_OK { bindFailure = result }
    return self
  }
}
