// SPDX-License-Identifier: MIT
import Platform
