// SPDX-License-Identifier: MIT
import MiniJSON
import Platform

/// Writes Prometheus' text format, version 0.0.4.
///
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/, read 2026-11.
struct MetricsText {
  /// What a family of samples is.
  enum Kind {
    case counter, gauge, histogram

    fileprivate var name: StaticString {
      switch self {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    }
  }

  /// One more label of a sample, whose value needs no escapes.
  struct Label {
    let name: StaticString
    let value: StaticString
  }

  private static let prefix: StaticString = "tinygateway_"

  private let buffer: Buffer
  private var name: StaticString = ""

  /// Makes a writer at the end of a buffer.
  init(_ buffer: Buffer) { self.buffer = buffer }

  /// Begins a family; all its samples follow before the next one.
  mutating func begin(_ name: StaticString, _ kind: Kind, _ help: StaticString) {
    self.name = name
    buffer.append("# HELP ")
    appendName()
    buffer.append(UInt8(ascii: " "))
    buffer.append(help)
    buffer.append("\n# TYPE ")
    appendName()
    buffer.append(UInt8(ascii: " "))
    buffer.append(kind.name)
    buffer.append("\n")
  }

  /// Appends a sample of the family.
  ///
  /// `value`: a multiple of 10⁻ᵈᵉᶜⁱᵐᵃˡˢ. `labels`: `name="value"` between commas, values escaped.
  /// `suffix`: behind the family's name, as histograms have it.
  func sample(
    _ value: Int64, decimals: Int = 0, _ labels: ByteString = .empty, _ more: Label? = nil,
    suffix: StaticString = ""
  ) {
    appendName()
    buffer.append(suffix)
    if !labels.isEmpty || more != nil {
      buffer.append(UInt8(ascii: "{"))
      buffer.append(labels)
      if let more {
        if !labels.isEmpty { buffer.append(UInt8(ascii: ",")) }
        buffer.append(more.name)
        buffer.append("=\"")
        buffer.append(more.value)
        buffer.append(UInt8(ascii: "\""))
      }
      buffer.append(UInt8(ascii: "}"))
    }
    buffer.append(UInt8(ascii: " "))
    JSONNumber.append(value, decimals: decimals, to: buffer)
    buffer.append("\n")
  }

  private func appendName() {
    buffer.append(MetricsText.prefix)
    buffer.append(name)
  }

  /// Appends a label and its value, escaped; ill-formed UTF-8 becomes U+FFFD.
  static func append(_ name: StaticString, _ value: ByteString, to labels: Buffer) {
    if !labels.isEmpty { labels.append(UInt8(ascii: ",")) }
    labels.append(name)
    labels.append("=\"")
    for byte in value.text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): labels.append("\\\\")
      case UInt8(ascii: "\""): labels.append("\\\"")
      case UInt8(ascii: "\n"): labels.append("\\n")
      default: labels.append(byte)
      }
    }
    labels.append(UInt8(ascii: "\""))
  }
}
