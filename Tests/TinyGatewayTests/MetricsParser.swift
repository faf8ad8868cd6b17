// SPDX-License-Identifier: MIT
import Foundation
import Platform

/// A strict reader of Prometheus' text format: one family after the other, each with its help and
/// type before its samples, no series twice, whole histograms.
struct MetricsParser {
  struct Sample {
    let name: String
    let labels: [String: String]
    let value: Double
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private(set) var kinds: [String: String] = [:]
  private(set) var samples: [Sample] = []
  private var family = ""
  private var helped = ""
  private var seen: Set<String> = []

  init(_ text: String) throws {
    guard text.hasSuffix("\n") else { throw Failure(description: "the last line has no end") }
    for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
      do {
        if line.hasPrefix("# HELP ") {
          try readHelp(line.dropFirst(7))
        } else if line.hasPrefix("# TYPE ") {
          try readType(line.dropFirst(7))
        } else {
          try readSample(line)
        }
      } catch { throw Failure(description: "\(error): \(line)") }
    }
    for (name, kind) in kinds where kind == "histogram" { try checkHistograms(name) }
  }

  /// The value of the sample with these labels, and perhaps more.
  func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
    let found = samples.filter { sample in
      sample.name == name && labels.allSatisfy { sample.labels[$0.key] == $0.value }
    }
    return found.count == 1 ? found[0].value : nil
  }

  private mutating func readHelp(_ rest: Substring) throws {
    let parts = rest.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, MetricsParser.isName(parts[0]), kinds[String(parts[0])] == nil else {
      throw Failure(description: "bad help")
    }
    helped = String(parts[0])
  }

  private mutating func readType(_ rest: Substring) throws {
    let parts = rest.split(separator: " ").map(String.init)
    guard parts.count == 2, parts[0] == helped,
      ["counter", "gauge", "histogram"].contains(parts[1])
    else { throw Failure(description: "bad type") }
    guard parts[1] != "counter" || parts[0].hasSuffix("_total") else {
      throw Failure(description: "a counter without _total")
    }
    family = helped
    kinds[family] = parts[1]
  }

  private mutating func readSample(_ line: Substring) throws {
    var rest = line
    let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
    rest = rest.dropFirst(name.count)
    guard MetricsParser.isName(name), belongs(String(name)) else {
      throw Failure(description: "a sample outside its family")
    }
    var labels: [String: String] = [:]
    if rest.first == "{" {
      repeat {
        rest.removeFirst()
        let (key, value) = try MetricsParser.readLabel(&rest)
        guard labels.updateValue(value, forKey: key) == nil else {
          throw Failure(description: "a label twice")
        }
      } while rest.first == ","
      guard rest.first == "}" else { throw Failure(description: "open braces") }
      rest.removeFirst()
    }
    guard rest.first == " ", let value = Double(rest.dropFirst()), value.isFinite else {
      throw Failure(description: "bad value")
    }
    guard seen.insert("\(name) \(labels.sorted { $0.key < $1.key })").inserted else {
      throw Failure(description: "a series twice")
    }
    samples.append(Sample(name: String(name), labels: labels, value: value))
  }

  private func belongs(_ name: String) -> Bool {
    if kinds[family] == "histogram" {
      return ["_bucket", "_sum", "_count"].contains { name == family + $0 }
    }
    return name == family
  }

  private static func readLabel(_ rest: inout Substring) throws -> (String, String) {
    let key = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    rest = rest.dropFirst(key.count)
    guard isName(key), rest.hasPrefix("=\"") else { throw Failure(description: "bad label") }
    rest = rest.dropFirst(2)
    var value = ""
    while let next = rest.popFirst() {
      if next == "\"" { return (String(key), value) }
      if next != "\\" {
        value.append(next)
        continue
      }
      switch rest.popFirst() {
      case "n": value.append("\n")
      case "\\": value.append("\\")
      case "\"": value.append("\"")
      default: throw Failure(description: "bad escape")
      }
    }
    throw Failure(description: "a label without end")
  }

  private static func isName(_ text: Substring) -> Bool {
    guard let first = text.first, first.isASCII, first.isLetter || first == "_" else {
      return false
    }
    return text.allSatisfy { $0.isASCII }
  }

  private func checkHistograms(_ name: String) throws {
    for count in samples where count.name == name + "_count" {
      let buckets = samples.filter { sample in
        sample.name == name + "_bucket"
          && count.labels.allSatisfy { sample.labels[$0.key] == $0.value }
      }
      let bounds = buckets.map { bucket in
        bucket.labels["le"].flatMap { $0 == "+Inf" ? Double.infinity : Double($0) } ?? -1
      }
      let values = buckets.map(\.value)
      guard bounds.count > 1, bounds.last == .infinity, values.last == count.value,
        zip(bounds, bounds.dropFirst()).allSatisfy({ $0 < $1 }), bounds[0] > 0,
        zip(values, values.dropFirst()).allSatisfy({ $0 <= $1 }),
        value(name + "_sum", count.labels) != nil
      else { throw Failure(description: "\(name) is no histogram: \(bounds) \(values)") }
    }
  }
}
