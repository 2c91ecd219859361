*** Settings ***
Documentation     The I2C controller, register by register (RM0402 section 24), on the display's
...               address, which answers, and the secure element's, which has no server here.
Resource          support.resource
Test Setup        Create Controller
Test Teardown     Test Teardown

*** Variables ***
${CR1}            0x40005400
${CR2}            0x40005404
${DR}             0x40005410
${SR1}            0x40005414
${SR2}            0x40005418
${CCR}            0x4000541C
${ISPR1}          0xE000E204
# CR1
${PE}             0x001
${START}          0x101
${STOP}           0x201
# SR1
${SB}             0x0001
${ADDR}           0x0002
${BTF_TXE}        0x0084
${TXE}            0x0080
${AF}             0x0400

*** Test Cases ***
Should Send Bytes
    Start And Address         0x78
    Memory Should Hold        ${SR1}    ${ADDR}
    # MSL, BUSY, TRA; this read clears ADDR.
    Memory Should Hold        ${SR2}    0x7
    Memory Should Hold        ${SR1}    ${TXE}
    Write                     ${DR}    0x00
    # The byte is in the shift register, a second one fits into DR.
    Memory Should Hold        ${SR1}    ${TXE}
    Write                     ${DR}    0xAE
    Memory Should Hold        ${SR1}    0x0
    Run For Microseconds      60
    Memory Should Hold        ${SR1}    ${BTF_TXE}
    Write                     ${CR1}    ${STOP}
    Run For Microseconds      30
    Memory Should Hold        ${SR1}    0x0
    Memory Should Hold        ${SR2}    0x0
    Memory Should Hold        ${CR1}    ${PE}

Should Take The Time Of The Bits
    Write                     ${CR1}    ${START}
    Run For Microseconds      10
    Memory Should Hold        ${SR1}    ${SB}
    Write                     ${DR}    0x78
    # Nine bits at 384 kHz are 23.4 us.
    Run For Microseconds      22
    Memory Should Hold        ${SR1}    0x0
    Run For Microseconds      3
    Memory Should Hold        ${SR1}    ${ADDR}

Should Keep The Acknowledge Failure Until It Is Cleared
    Start And Address         0x40
    # Polling loops read SR1 more than once.
    Memory Should Hold        ${SR1}    ${AF}
    Memory Should Hold        ${SR1}    ${AF}
    Memory Should Hold        ${SR2}    0x3
    Write                     ${SR1}    0x0
    Memory Should Hold        ${SR1}    0x0
    Write                     ${CR1}    ${STOP}
    Run For Microseconds      10
    Memory Should Hold        ${SR2}    0x0

Should Refuse An Address That Nobody Has
    Start And Address         0xBE
    Memory Should Hold        ${SR1}    ${AF}

Should Interrupt For Events And For Errors
    # ITEVTEN and ITERREN; the interrupts are 31 and 32.
    Write                     ${CR2}    0x330
    Start And Address         0x40
    ${pending}=               Execute Command    sysbus ReadDoubleWord ${ISPR1}
    Should Be True            ${pending.strip()} & 1
    Memory Should Hold        ${SR1}    ${AF}

Should Make A Repeated Start
    Start And Address         0x78
    Memory Should Hold        ${SR1}    ${ADDR}
    Memory Should Hold        ${SR2}    0x7
    Write                     ${DR}    0x00
    Run For Microseconds      30
    Write                     ${CR1}    ${START}
    Run For Microseconds      10
    Memory Should Hold        ${SR1}    ${SB}
    Write                     ${DR}    0x79
    Run For Microseconds      30
    Memory Should Hold        ${SR1}    ${ADDR}
    # A receiver: MSL and BUSY without TRA.
    Memory Should Hold        ${SR2}    0x3
    Run For Microseconds      30
    # RXNE; the display is off, which its status says.
    Memory Should Hold        ${SR1}    0x40
    Memory Should Hold        ${DR}    0x40

Should Not Clear ADDR By A Read Of SR2 Alone
    Start And Address         0x78
    Memory Should Hold        ${SR2}    0x7
    Memory Should Hold        ${SR1}    ${ADDR}

Should Drop Everything When It Is Turned Off
    Start And Address         0x40
    Write                     ${CR1}    0x0
    Memory Should Hold        ${SR1}    0x0
    Memory Should Hold        ${SR2}    0x0

*** Keywords ***
Create Controller
    Create Machine Without Firmware
    # 48 MHz, fast mode, duty 16/9: 48 MHz / (25 x 5) = 384 kHz.
    Write                     ${CR2}    0x30
    Write                     ${CCR}    0xC005
    Write                     ${CR1}    ${PE}

Write
    [Arguments]               ${address}    ${value}
    Execute Command           sysbus WriteDoubleWord ${address} ${value}

Start And Address
    [Arguments]               ${byte}
    Write                     ${CR1}    ${START}
    Run For Microseconds      10
    Memory Should Hold        ${SR1}    ${SB}
    Write                     ${DR}    ${byte}
    Run For Microseconds      30
