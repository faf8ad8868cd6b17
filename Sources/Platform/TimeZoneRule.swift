// SPDX-License-Identifier: MIT

extension TimeZone {
  /// Longest name or rule, bytes.
  package static let textByteCount = 128

  /// Takes a name such as `Asia/Shanghai`, or a POSIX rule such as `CET-1CEST,M3.5.0,M10.5.0/3`.
  ///
  /// A colon before it is left out. nil for an unknown name and a bad rule.
  package init?(_ text: ByteString) {
    guard text.count <= TimeZone.textByteCount else { return nil }
    let hasColon = text.bytes.first == UInt8(ascii: ":")
    let name = hasColon ? ByteString(Array(text.bytes.dropFirst())) : text
    var parser = TimeZoneRuleParser(TimeZoneTable.rule(of: name) ?? name)
    guard let zone = parser.zone() else { return nil }
    self = zone
  }
}

extension TimeZoneTable {
  /// The rule of a zone; nil for a name that is not in the table.
  static func rule(of name: ByteString) -> ByteString? {
    text.withUTF8Buffer { table in
      var rule = 0..<0
      var folder = 0..<0
      var start = 0
      while start < table.count {
        var end = start
        while table[end] != UInt8(ascii: " "), table[end] != UInt8(ascii: ";") { end += 1 }
        if start == 0 || table[start - 1] == UInt8(ascii: ";") {
          rule = start..<end
        } else {
          let isWhole = table[start] != UInt8(ascii: "/")
          if isWhole { folder = start..<start }
          if name.count == folder.count + end - start,
            name.bytes.starts(with: table[folder]),
            name.bytes.dropFirst(folder.count).elementsEqual(table[start..<end])
          {
            return ByteString(Array(table[rule]))
          }
          if isWhole { folder = start..<(table[start..<end].lastIndex(of: 0x2F) ?? start) }
        }
        start = end + 1
      }
      return nil
    }
  }
}

/// Reads a POSIX time zone rule: `std offset [dst [offset] [,start[/time],end[/time]]]`
/// (POSIX.1-2024 §8.3), with times from -167 to 167 hours.
struct TimeZoneRuleParser {
  private static let zoneHours: Int64 = 24
  private static let changeHours: Int64 = 167
  /// What changes when a rule does not say: at two o'clock.
  private static let usualTime: Int64 = 2 * 3600
  private static let usualChanges: ByteString = ",M3.2.0,M11.1.0"

  private var text: [UInt8]
  private var position = 0

  init(_ text: ByteString) { self.text = text.bytes }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  /// The zone; nil unless the whole text is a rule.
  mutating func zone() -> TimeZone? {
    guard skipName(), let west = time(hours: TimeZoneRuleParser.zoneHours) else { return nil }
    guard next != nil else { return TimeZone(standardOffset: -west, daylight: nil) }
    guard skipName() else { return nil }
    var offset = 3600 - west
    if let next, next != UInt8(ascii: ",") {
      guard let west = time(hours: TimeZoneRuleParser.zoneHours) else { return nil }
      offset = -west
    }
    if next == nil { text += TimeZoneRuleParser.usualChanges.bytes }
    guard take(UInt8(ascii: ",")), let start = change(), take(UInt8(ascii: ",")),
      let end = change(), next == nil
    else { return nil }
    return TimeZone(
      standardOffset: -west, daylight: DaylightTime(offset: offset, start: start, end: end))
  }

  /// An abbreviation: three letters or more, or anything of letters, digits and signs in `<>`.
  private mutating func skipName() -> Bool {
    let isQuoted = take(UInt8(ascii: "<"))
    let start = position
    while let byte = next, ASCII.isLetter(byte) || isQuoted && isNumeric(byte) { position += 1 }
    return position - start >= 3 && (!isQuoted || take(UInt8(ascii: ">")))
  }

  private func isNumeric(_ byte: UInt8) -> Bool {
    ASCII.isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
  }

  /// `[+-]hh[:mm[:ss]]` in seconds.
  private mutating func time(hours limit: Int64) -> Int64? {
    let isNegative = take(UInt8(ascii: "-"))
    if !isNegative { _ = take(UInt8(ascii: "+")) }
    guard let hours = number(0...limit) else { return nil }
    var seconds = hours * 3600
    if take(UInt8(ascii: ":")) {
      guard let minutes = number(0...59) else { return nil }
      seconds += minutes * 60
      if take(UInt8(ascii: ":")) {
        guard let more = number(0...59) else { return nil }
        seconds += more
      }
    }
    return isNegative ? -seconds : seconds
  }

  /// `Mm.w.d`, `Jn` or `n`, with `/time`.
  private mutating func change() -> ClockChange? {
    guard let day = day() else { return nil }
    guard take(UInt8(ascii: "/")) else {
      return ClockChange(day: day, seconds: TimeZoneRuleParser.usualTime)
    }
    guard let seconds = time(hours: TimeZoneRuleParser.changeHours) else { return nil }
    return ClockChange(day: day, seconds: seconds)
  }

  private mutating func day() -> ClockChange.Day? {
    if take(UInt8(ascii: "J")) { return number(1...365).map { .julian($0) } }
    guard take(UInt8(ascii: "M")) else { return number(0...365).map { .ofYear($0) } }
    guard let month = number(1...12), take(UInt8(ascii: ".")), let week = number(1...5),
      take(UInt8(ascii: ".")),
      let weekday = number(0...6)
    else { return nil }
    return .weekday(month: month, week: week, weekday: weekday)
  }

  /// One to three digits.
  private mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
    var number: Int64 = 0
    let start = position
    while let byte = next, ASCII.isDigit(byte) {
      guard position - start < 3 else { return nil }
      number = number * 10 + Int64(byte & 0x0F)
      position += 1
    }
    return position > start && range.contains(number) ? number : nil
  }

  /// Takes a byte if it comes next.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    position += 1
    return true
  }
}
