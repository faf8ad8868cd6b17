// SPDX-License-Identifier: MIT
import Platform

/// Reads the three forms of a date that a recipient must accept (RFC 9110 §5.6.7).
enum HTTPDate {
  private static let months: [StaticString] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  private static let shortDays: [StaticString] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
  private static let longDays: [StaticString] = [
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
  ]

  /// Day, month and time of day as they were read.
  private struct Parts {
    var year = 0
    var month = 0
    var day = 0
    var hour = 0
    var minute = 0
    var second = 0
  }

  /// Seconds since 1970 of a whole text; nil for anything else.
  ///
  /// The name of the day must be one, but need not be the right one. `now`, in seconds since
  /// 1970, tells the century of a year of two digits.
  static func seconds(_ text: Span<UInt8>, now: Int64) -> Int64? {
    var reader = Reader(count: text.count)
    if reader.word(longDays, text) != nil {
      guard var parts = reader.obsolete(text) else { return nil }
      parts.year = year(parts.year, now: now)
      return seconds(parts)
    }
    guard reader.word(shortDays, text) != nil else { return nil }
    let isFixed = text.count > 3 && text[3] == UInt8(ascii: ",")
    return (isFixed ? reader.fixed(text) : reader.asctime(text)).flatMap(seconds)
  }

  /// RFC 9110 §5.6.7: what seems to be more than 50 years ahead is the last such year that is
  /// past.
  private static func year(_ twoDigits: Int, now: Int64) -> Int {
    let present = 1970 + Int(now / 31_556_952)
    let year = present - present % 100 + twoDigits
    return year > present + 50 ? year - 100 : year
  }

  private static func seconds(_ parts: Parts) -> Int64? {
    let date = CalendarDate(year: parts.year, month: parts.month, day: parts.day)
    // A second 60 is a leap second.
    guard parts.year >= 1970, date.exists, parts.hour < 24, parts.minute < 60, parts.second <= 60
    else { return nil }
    return date.days * UnixTime.secondsPerDay
      + Int64(parts.hour * 3600 + parts.minute * 60 + parts.second)
  }

  /// Goes through a text once; each step is nil where the text is not as expected.
  private struct Reader {
    let count: Int
    private var position = 0

    init(count: Int) { self.count = count }

    /// `, 06 Nov 1994 08:49:37 GMT`, the rest of IMF-fixdate.
    mutating func fixed(_ text: Span<UInt8>) -> Parts? {
      var parts = Parts()
      guard skip(", ", text), let day = number(2, text), skip(" ", text),
        let month = word(months, text), skip(" ", text), let year = number(4, text),
        skip(" ", text), time(text, &parts), skip(" GMT", text), position == count
      else { return nil }
      (parts.year, parts.month, parts.day) = (year, month + 1, day)
      return parts
    }

    /// `, 06-Nov-94 08:49:37 GMT`, the rest of RFC 850's form; the year has two digits.
    mutating func obsolete(_ text: Span<UInt8>) -> Parts? {
      var parts = Parts()
      guard skip(", ", text), let day = number(2, text), skip("-", text),
        let month = word(months, text), skip("-", text), let year = number(2, text),
        skip(" ", text), time(text, &parts), skip(" GMT", text), position == count
      else { return nil }
      (parts.year, parts.month, parts.day) = (year, month + 1, day)
      return parts
    }

    /// ` Nov  6 08:49:37 1994`, the rest of asctime's form.
    mutating func asctime(_ text: Span<UInt8>) -> Parts? {
      var parts = Parts()
      guard skip(" ", text), let month = word(months, text), skip(" ", text),
        let day = skip(" ", text) ? number(1, text) : number(2, text), skip(" ", text),
        time(text, &parts), skip(" ", text), let year = number(4, text), position == count
      else { return nil }
      (parts.year, parts.month, parts.day) = (year, month + 1, day)
      return parts
    }

    private mutating func time(_ text: Span<UInt8>, _ parts: inout Parts) -> Bool {
      guard let hour = number(2, text), skip(":", text), let minute = number(2, text),
        skip(":", text), let second = number(2, text)
      else { return false }
      (parts.hour, parts.minute, parts.second) = (hour, minute, second)
      return true
    }

    /// Which of the words comes next.
    mutating func word(_ words: [StaticString], _ text: Span<UInt8>) -> Int? {
      for (index, word) in words.enumerated() where skip(word, text) { return index }
      return nil
    }

    private mutating func skip(_ literal: StaticString, _ text: Span<UInt8>) -> Bool {
      let end = position + literal.utf8CodeUnitCount
      guard end <= count, text.extracting(position..<end).equals(literal) else { return false }
      position = end
      return true
    }

    private mutating func number(_ digits: Int, _ text: Span<UInt8>) -> Int? {
      let end = position + digits
      guard end <= count, let value = text.extracting(position..<end).decimal else { return nil }
      position = end
      return Int(value)
    }
  }
}
