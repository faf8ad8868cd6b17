// SPDX-License-Identifier: MIT

/// Which dialect a row's vendor speaks: a number, so that rows stay static data.
package enum DialectKind: UInt8, CaseIterable, Sendable {
  case openAI

  /// The dialect itself.
  package var dialect: Dialect {
    switch self {
    case .openAI: .openAI
    }
  }
}
